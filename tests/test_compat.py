"""python -m fastkeras script.py and fastkeras.compat: what `import keras` and `import tensorflow` find."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastkeras.compat import paths

ROOT = Path(__file__).parent.parent


def run(tmp_path, source, *arguments, name="script.py", options=()):
    """The finished process of `python -m fastkeras script.py arguments` for a script with this source."""
    script = tmp_path / name
    script.write_text(source)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *options, "-m", "fastkeras", str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)


def output_of(tmp_path, source, *arguments):
    """What a script prints; it must end well and say nothing else."""
    process = run(tmp_path, source, *arguments)
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


IMPORTS = """
import keras
import tensorflow as tf
from keras.engine.topology import Layer
from keras.layers.core import Dense
from keras.layers.recurrent import LSTM
from keras.preprocessing import sequence
from keras.preprocessing.text import Tokenizer
from keras.src.legacy.preprocessing.text import Tokenizer as Moved
from keras.utils import np_utils
from keras_preprocessing.text import Tokenizer as Apart
from tensorflow import keras as inner
from tensorflow.keras.layers import *
from tensorflow.keras.models import Sequential, load_model
from tensorflow.python.keras.layers import GRU as Private
from tensorflow.random import set_seed
import fastkeras as fk

assert keras.layers.Dense is Dense is inner.layers.Dense is tf.keras.layers.Dense is fk.layers.Dense
assert (Layer, LSTM, GRU, Private) == (fk.layers.Layer, fk.layers.LSTM, fk.layers.GRU, fk.layers.GRU)
assert Tokenizer is Moved is Apart is fk.preprocessing.text.Tokenizer
assert sequence.pad_sequences is keras.utils.pad_sequences
assert np_utils.to_categorical is fk.utils.to_categorical
assert (Sequential, load_model) == (fk.Sequential, fk.saving.load_model)
assert set_seed is tf.random.set_seed is fk.utils.set_random_seed
assert keras.datasets.mnist.load_data is fk.datasets.mnist.load_data
assert (keras.__version__, tf.__version__) == ("3.15.0", "2.21.0")
"""


def test_names_are_found_wherever_keras_had_them(tmp_path):
    assert output_of(tmp_path, IMPORTS) == ""


def test_every_module_of_the_table_can_be_imported(tmp_path):
    """With its parents; the names in it are looked up only when they are used."""
    names = [f"keras.{path}" for path in paths.KERAS if path]
    names += [f"{package}.layers" for package in paths.PACKAGES if package != "keras_preprocessing"]
    names += [f"tensorflow.{path}" for path in paths.TENSORFLOW if path]
    assert output_of(tmp_path, "\n".join(f"import {name}" for name in names)) == ""


MISSING = """
def attempt(code):
    try:
        exec(code, globals())
    except Exception as error:
        print(f"{type(error).__name__}: {error}")

import keras
attempt("from keras.layers import Dens")
attempt("import keras.nowhere")
attempt("keras.layers.Nowhere")
attempt("import keras.layers.Dense")
print(hasattr(keras, "nowhere"))
"""


def test_what_is_missing_says_so(tmp_path):
    assert output_of(tmp_path, MISSING).splitlines() == [
        "ModuleNotFoundError: fastkeras has no keras.layers.Dens. Did you mean 'Dense'?",
        "ModuleNotFoundError: fastkeras has no keras.nowhere.",
        "AttributeError: fastkeras has no keras.layers.Nowhere.",
        "ModuleNotFoundError: keras.layers.Dense is no module: write `from keras.layers import Dense`.",
        "False",
    ]


def test_packages_of_these_names_are_not_mixed_with_fastkeras(tmp_path):
    source = "import sys, types\nsys.modules['keras'] = types.ModuleType('keras')\nimport fastkeras.compat\n"
    process = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, cwd=ROOT)
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].endswith("import it before them. Imported already: keras")


# --- running a script --------------------------------------------------------------------------------------------


def test_a_script_runs_as_python_runs_it(tmp_path):
    (tmp_path / "neighbour.py").write_text("name = 'its neighbour'")
    source = """
import pickle, sys, neighbour
class Own: pass
print(__name__, __file__, sys.argv[1:], neighbour.name, type(pickle.loads(pickle.dumps(Own()))) is Own)
sys.exit(3)
"""
    process = run(tmp_path, source, "a", "-b")
    assert process.stdout == f"__main__ {tmp_path / 'script.py'} ['a', '-b'] its neighbour True\n"
    assert (process.returncode, process.stderr) == (3, "")


def test_a_script_called_as_a_command_is(tmp_path):
    assert run(tmp_path, "print('ran')", name="inspect").stdout == "ran\n"


ERROR = """
import keras

def wrong():
    return keras.layers.Dense(-3)

wrong()
"""


def test_an_error_shows_the_lines_of_the_script_alone(tmp_path):
    process = run(tmp_path, ERROR)
    assert process.returncode == 1
    lines = process.stderr.splitlines()
    assert [line for line in lines if line.startswith("  File")] == [
        f'  File "{tmp_path / "script.py"}", line 7, in <module>',
        f'  File "{tmp_path / "script.py"}", line 5, in wrong',
    ]
    assert lines[-1] == "ValueError: Dense: `units` must be a positive integer. Received: units=-3"
    assert "layers/core.py" in run(tmp_path, ERROR, options=["-X", "dev"]).stderr.replace(os.sep, "/")


@pytest.mark.parametrize("source", ["x = = 3", "'"])
def test_a_script_with_a_slip_in_its_syntax(tmp_path, source):
    process = run(tmp_path, source)
    assert process.returncode == 1
    assert process.stderr.startswith(f'  File "{tmp_path / "script.py"}", line 1')
