"""python tests/run_with_tensorflow.py keras|tf_keras [--eagerly] SCRIPT... runs scripts one after the other.

Each in a folder of its own below the current one. The last line printed is a list: what each has computed, see
script_cases.py.
"""

import contextlib
import importlib
import io
import json
import os
import runpy
import sys
import tempfile

import tensorflow as tf
from script_cases import results

START = os.getcwd()  # whoever calls this takes the folder away again


def call_tf_keras_keras():
    """`import keras` gives tf_keras from now on, and `keras.layers` its layers."""
    importlib.import_module("tf_keras")
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "tf_keras":
            sys.modules[f"keras{name.removeprefix('tf_keras')}"] = module


def run(path, eagerly):
    printed = io.StringIO()
    tf.keras.backend.clear_session()
    tf.config.run_functions_eagerly(eagerly)
    os.chdir(tempfile.mkdtemp(dir=START))
    with contextlib.redirect_stdout(printed):
        runpy.run_path(path, run_name="__main__")
    return results(printed.getvalue())


def main(peer, *arguments):
    if peer == "tf_keras":
        call_tf_keras_keras()
    paths = [argument for argument in arguments if argument != "--eagerly"]
    print(json.dumps([run(path, "--eagerly" in arguments) for path in paths]))


if __name__ == "__main__":
    main(*sys.argv[1:])
