"""`hornbeam.utils` for type checkers and editors, which cannot see names that load on first touch."""

from hornbeam._config import (
    disable_interactive_logging as disable_interactive_logging,
    enable_interactive_logging as enable_interactive_logging,
    is_interactive_logging_enabled as is_interactive_logging_enabled,
)
from hornbeam.data.loaders import (
    audio_dataset_from_directory as audio_dataset_from_directory,
    image_dataset_from_directory as image_dataset_from_directory,
    text_dataset_from_directory as text_dataset_from_directory,
)
from hornbeam.data.pictures import (
    array_to_img as array_to_img,
    img_to_array as img_to_array,
    load_img as load_img,
    save_img as save_img,
)
from hornbeam.data.py_dataset import (
    PyDataset as PyDataset,
    Sequence as Sequence,
)
from hornbeam.data.splitting import (
    split_dataset as split_dataset,
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
from hornbeam.dtypes import standardize_dtype as standardize_dtype
from hornbeam.layers.preprocessing.feature_space import FeatureSpace as FeatureSpace
from hornbeam.models.plot import (
    model_to_dot as model_to_dot,
    plot_model as plot_model,
)
from hornbeam.saving.config import (
    deserialize_keras_object as deserialize_keras_object,
    serialize_keras_object as serialize_keras_object,
)
from hornbeam.saving.registration import (
    CustomObjectScope as CustomObjectScope,
    custom_object_scope as custom_object_scope,
    get_custom_objects as get_custom_objects,
    get_registered_name as get_registered_name,
    get_registered_object as get_registered_object,
    register_keras_serializable as register_keras_serializable,
)
from hornbeam.training.progress import Progbar as Progbar
from hornbeam.training.unpack import (
    pack_x_y_sample_weight as pack_x_y_sample_weight,
    unpack_x_y_sample_weight as unpack_x_y_sample_weight,
)
from hornbeam.utils import (
    bounding_boxes as bounding_boxes,
    legacy as legacy,
)
from hornbeam.utils.files import get_file as get_file
from hornbeam.utils.numerical import (
    normalize as normalize,
    to_categorical as to_categorical,
)
from hornbeam.utils.seeds import set_random_seed as set_random_seed
from hornbeam.utils.sequence import pad_sequences as pad_sequences
from hornbeam.utils.session import (
    clear_session as clear_session,
    get_source_inputs as get_source_inputs,
    is_keras_tensor as is_keras_tensor,
)
from hornbeam.utils.settings import Config as Config
