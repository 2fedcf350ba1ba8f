"""python -m fastkeras script.py and fastkeras.compat: what `import keras` and `import tensorflow` find."""

import os
import subprocess
import sys

import pytest
from running import ROOT, output_of, run

IMPORTS = """
import keras
import tensorflow as tf
from keras.layers import Dense
from keras.preprocessing import sequence
from keras.preprocessing.text import Tokenizer
from tensorflow import keras as inner
from tensorflow.keras.layers import *
from tensorflow.keras.models import Sequential, load_model
from tf_keras.layers import GRU as Apart
from tensorflow.random import set_seed
import fastkeras as fk

assert keras.layers.Dense is Dense is inner.layers.Dense is tf.keras.layers.Dense is fk.layers.Dense
assert GRU is Apart is fk.layers.GRU
assert Tokenizer is fk.preprocessing.text.Tokenizer
assert sequence.pad_sequences is keras.utils.pad_sequences
assert tf.keras.backend.sum is fk.backend.sum and keras.ops.sum is fk.ops.sum
assert (Sequential, load_model) == (fk.Sequential, fk.saving.load_model)
assert set_seed is tf.random.set_seed is fk.utils.set_random_seed
assert keras.datasets.mnist.load_data is fk.datasets.mnist.load_data
assert (keras.__version__, tf.__version__) == ("3.15.0", "2.21.0")
"""


def test_names_are_found_wherever_keras_has_them(tmp_path):
    assert output_of(tmp_path, IMPORTS) == ""


MOVED = """
from keras.engine.topology import Layer, Container
from keras.layers.core import Dense, Dropout
from keras.layers.recurrent import LSTM
from keras.layers.merge import add
from keras.utils import np_utils
from keras.optimizers.legacy import SGD
from keras.src.legacy.preprocessing.text import Tokenizer
from keras_preprocessing.sequence import pad_sequences
from tensorflow.python.keras.layers import GRU
import fastkeras as fk

assert (Layer, Dense, LSTM, GRU) == (fk.Layer, fk.layers.Dense, fk.layers.LSTM, fk.layers.GRU)
assert (Container, SGD, add) == (fk.Model, fk.optimizers.SGD, fk.layers.add)
assert np_utils.to_categorical([1]).tolist() == [[0, 1]]
"""


def test_each_old_module_says_once_where_its_names_are_now(tmp_path):
    process = run(tmp_path, MOVED)
    assert (process.returncode, process.stdout) == (0, "")
    assert process.stderr.splitlines() == [
        "script.py:2: keras.engine.topology.Layer is keras.layers.Layer now.",
        "script.py:3: keras.layers.core.Dense is keras.layers.Dense now.",
        "script.py:4: keras.layers.recurrent.LSTM is keras.layers.LSTM now.",
        "script.py:5: keras.layers.merge.add is keras.layers.add now.",
        "script.py:7: keras.optimizers.legacy.SGD is keras.optimizers.SGD now.",
        "script.py:8: keras.src.legacy.preprocessing.text.Tokenizer is keras.preprocessing.text.Tokenizer now.",
        "script.py:9: keras_preprocessing.sequence.pad_sequences is keras.preprocessing.sequence.pad_sequences now.",
        "script.py:10: tensorflow.python.keras.layers.GRU is keras.layers.GRU now.",
        "script.py:15: keras.utils.np_utils.to_categorical is keras.utils.to_categorical now.",
    ]


EVERY_MODULE = """
import importlib
from fastkeras.compat import paths

names = [f"keras.{path}" for path in paths.KERAS if path]
names += [f"{package}.layers" for package in paths.PACKAGES if package != "keras_preprocessing"]
names += [f"tensorflow.{path}" for path in paths.TENSORFLOW if path]
for name in names:
    importlib.import_module(name)
sources = {source for table in (paths.KERAS, paths.TENSORFLOW) for several in table.values() for source in several}
for source in sources - {"fastkeras.compat.scikit_learn"}:  # needs scikit-learn
    importlib.import_module(source)
print(len(names) > 100)
"""


def test_every_module_of_the_tables_can_be_imported(tmp_path):
    assert output_of(tmp_path, EVERY_MODULE) == "True\n"


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
