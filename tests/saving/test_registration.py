"""What a file names is found although it is not loaded yet, and only what the tables declare."""

import subprocess
import sys

PROGRAM = """
import sys
from hornbeam import layers
from hornbeam.saving import registration
def loaded(): return {one for one in sys.modules if one.startswith("hornbeam.layers.")}
assert "hornbeam.layers.core.dense" not in loaded()
assert registration.find_class("keras.layers", "Dense").__name__ == "Dense"
assert "hornbeam.layers.merging.merging" not in loaded(), "one name loads one module"
assert registration.find_class("keras.src.layers.reshaping.flatten", "Flatten") is layers.Flatten
assert registration.find_class("keras.layers", "MaxPool2D") is layers.MaxPooling2D
assert registration.find_class(None, "Add") is layers.Add
assert type(layers.deserialize({"class_name": "batch_normalization"})) is layers.BatchNormalization
assert registration.find_class("keras.layers", "dense") is None, "a file that says the module writes class names"
assert registration.find_class("keras.layers", "Input") is None, "a function"
assert registration.find_class("keras.layers", "__getattr__") is None
print("Embedding" in registration.known_class_names())
"""


def test_names_in_files_load_what_they_name():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "True"
