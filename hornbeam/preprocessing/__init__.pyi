"""`hornbeam.preprocessing` for type checkers and editors, which cannot see names that load on first touch."""

from hornbeam.data.loaders import (
    image_dataset_from_directory as image_dataset_from_directory,
    text_dataset_from_directory as text_dataset_from_directory,
)
from hornbeam.data.splitting import timeseries_dataset_from_array as timeseries_dataset_from_array
from hornbeam.preprocessing import image as image, sequence as sequence
