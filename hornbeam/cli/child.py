"""Stands for the program of `hornbeam run` in processes that it starts by multiprocessing's spawn or forkserver.

Python imports the main module again in such a process. For a program under `hornbeam run` that is this module,
which first puts hornbeam in the place of Keras and then becomes the program's module.
"""

import os

from hornbeam.cli.run import SCRIPT_VARIABLE, compiled
from hornbeam.install import install_as_keras

if __name__ == "__mp_main__":
    install_as_keras()
    __file__ = os.environ[SCRIPT_VARIABLE]
    exec(compiled(__file__), globals())  # noqa: S102 - the program that is being run
