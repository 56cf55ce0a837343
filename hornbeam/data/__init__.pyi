"""`hornbeam.data` for type checkers and editors, which cannot see names that load on first touch."""

from hornbeam.data.dataset import Dataset as Dataset
from hornbeam.data.py_dataset import PyDataset as PyDataset
from hornbeam.data.tables import table_dataset as table_dataset
