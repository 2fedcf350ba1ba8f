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


# --- what scripts keep -------------------------------------------------------------------------------------------


PICKLES = """
import collections, pickle, sys, types

# A Tokenizer as old Keras pickled it: its attributes, some of which early versions did not have.
def pickled(module):
    old = types.ModuleType(module)
    old.Tokenizer = type("Tokenizer", (), {"__module__": module})
    sys.modules[module] = old
    tokenizer = old.Tokenizer()
    vars(tokenizer).update(
        word_counts=collections.OrderedDict(the=2, cat=1), word_docs={"the": 2, "cat": 1},
        word_index={"the": 1, "cat": 2},
        index_docs={1: 2, 2: 1}, filters=".", split=" ", lower=True, num_words=None, document_count=2, char_level=False)
    data = pickle.dumps(tokenizer)
    del sys.modules[module]
    return data

for module in ("keras_preprocessing.text", "keras.preprocessing.text", "tensorflow.python.keras.preprocessing.text",
               "keras.src.legacy.preprocessing.text", "tf_keras.src.preprocessing.text"):
    tokenizer = pickle.loads(pickled(module))
    again = pickle.loads(pickle.dumps(tokenizer))
    print(tokenizer.texts_to_sequences(["The cat. the dog"]), again.sequences_to_texts([[2, 1]]))
"""


def test_tokenizers_that_old_keras_pickled_are_read(tmp_path):
    process = run(tmp_path, PICKLES)
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == ["[[1, 2, 1]] ['cat the']"] * 5
    assert [line.split(": ")[1].split(".Tokenizer")[0] for line in process.stderr.splitlines()] == [
        "keras_preprocessing.text",
        "tensorflow.python.keras.preprocessing.text",
        "keras.src.legacy.preprocessing.text",
    ]


# --- scikit-learn ------------------------------------------------------------------------------------------------


ESTIMATORS = """
import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import Adam
from keras.utils import set_random_seed
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

set_random_seed(1)
x = np.random.default_rng(0).standard_normal((90, 4))
y = np.where(x[:, 0] > 0, "yes", "no")

def classifier(units=8, outputs=1):
    end = Dense(1, activation="sigmoid") if outputs == 1 else Dense(outputs, activation="softmax")
    model = Sequential([Dense(units, activation="relu", input_dim=4), end])
    loss = "binary_crossentropy" if outputs == 1 else "categorical_crossentropy"
    model.compile(Adam(0.01), loss, metrics=["accuracy"])
    return model

def regressor():
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", "mse")
    return model

estimator = KerasClassifier(build_fn=classifier, epochs=30, batch_size=5, verbose=0)
print(cross_val_score(estimator, x, y, cv=3).min() > 0.8)
search = GridSearchCV(estimator, {"units": [8], "epochs": [1, 30]}, cv=2).fit(x, y)
best = search.best_estimator_
print(search.best_params_, best.predict(x[:4]).tolist() == y[:4].tolist(), best.predict_proba(x).shape, best.classes_)
two = KerasClassifier(classifier, outputs=2, verbose=0)
print(len(two.fit(x, y, epochs=2).epoch), two.score(x, y) == np.mean(two.predict(x) == y), two.predict_proba(x).shape)
line = make_pipeline(StandardScaler(), KerasRegressor(build_fn=regressor, epochs=20, batch_size=5, verbose=0))
scores = cross_val_score(line, x, 2 * x[:, 0] + 1, cv=3)
print(scores.shape, bool((scores > -0.1).all()), bool((scores < 0).all()))
try:
    KerasClassifier(classifier, unit=3).fit(x, y)
except ValueError as error:
    print(error)
"""


@pytest.mark.needs("sklearn")
def test_models_are_estimators_of_scikit_learn(tmp_path):
    assert output_of(tmp_path, ESTIMATORS).splitlines() == [
        "True",
        "{'epochs': 30, 'units': 8} True (90, 2) ['no' 'yes']",
        "2 True (90, 2)",
        "(3,) True True",
        "Unknown argument of KerasClassifier. Did you mean 'units'? Received: 'unit'",
    ]


@pytest.mark.needs("sklearn")
def test_a_search_may_go_over_the_epochs_of_keras_1(tmp_path):
    searched = """
search = GridSearchCV(KerasRegressor(build_fn=regressor, verbose=0), {"nb_epoch": [3]}, cv=2)
print(len(search.fit(x, x[:, 0]).best_estimator_.model.history.epoch), search.best_score_ < 0)
"""
    process = run(tmp_path, ESTIMATORS.partition("estimator =")[0] + searched)
    assert process.stdout.split() == ["3", "True"] and "fit: nb_epoch= is epochs= now." in process.stderr


def test_estimators_without_scikit_learn(tmp_path):
    source = "import sys; sys.modules['sklearn'] = None\nfrom keras.wrappers.scikit_learn import KerasClassifier\n"
    process = run(tmp_path, source)
    assert process.returncode == 1
    message = "ImportError: keras.wrappers.scikit_learn needs scikit-learn: pip install scikit-learn"
    assert process.stderr.splitlines()[-1] == message


WARNED = """
import numpy as np, keras
model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
model.compile("sgd", "mse")
x = np.zeros((2, 1))
model.fit(x, x, verbose=0, callbacks=[keras.callbacks.EarlyStopping("val_loss")])
keras.metrics.R2Score(num_regressors=5)(x[:1], x[:1])
model.fit((lambda: (yield x, x))(), steps_per_epoch=3, verbose=0)
"""


def test_warnings_name_the_line_of_the_script(tmp_path):
    process = run(tmp_path, WARNED)
    said = [line for line in process.stderr.splitlines() if "Warning: " in line]
    assert [line.split(": ")[0] for line in said] == [f"{tmp_path / 'script.py'}:{line}" for line in (6, 7, 8)]
