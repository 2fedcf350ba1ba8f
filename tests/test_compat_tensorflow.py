"""tf outside keras: tensorflow_script.py prints what it prints under TensorFlow; and the rest, which has no results."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from live import needs_tensorflow
from running import output_of, run

from fastkeras.preprocessing import text_dataset_from_directory, timeseries_dataset_from_array
from fastkeras.utils.dataset import Dataset, TextLineDataset

HERE = Path(__file__).parent
SCRIPT = HERE / "tensorflow_script.py"
PRINTED = HERE / "fixtures" / "tensorflow_script.txt"


def test_functions_variables_tapes_and_datasets(tmp_path):
    lines = output_of(tmp_path, SCRIPT.read_text()).splitlines()
    assert lines == PRINTED.read_text().splitlines()


@needs_tensorflow
def test_tensorflow_prints_the_same():
    process = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True)
    assert process.stdout.splitlines() == PRINTED.read_text().splitlines(), process.stderr


SETTINGS = """
import tensorflow as tf
import fastkeras

tf.get_logger().setLevel("ERROR")
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
tf.config.experimental.enable_op_determinism()
tf.config.run_functions_eagerly(True)
tf.config.set_visible_devices([], "GPU")
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)
print(fastkeras.config.get_num_threads(), len(tf.config.list_physical_devices()), tf.executing_eagerly())

@tf.function(input_signature=[tf.TensorSpec(shape=[None], dtype=tf.float32)])
def double(x):
    return 2 * x

@tf.function
def half(x):
    return x / 2

with tf.device("/CPU:0"), tf.name_scope("scope"), tf.distribute.MirroredStrategy().scope():
    print(half(double(tf.constant([1.5]))).numpy(), tf.keras.layers.Dense(2)(tf.zeros((3, 4))).shape)

def drawn():
    tf.random.set_seed(7)
    return tf.random.normal((3,)).numpy().tolist()

print(drawn() == drawn(), isinstance(tf.constant(1), tf.Tensor), tf.zeros(1).dtype == tf.float32)
"""


def test_settings_are_taken_in_silence(tmp_path):
    assert output_of(tmp_path, SETTINGS).splitlines() == ["1 1 True", "[1.5] (3, 2)", "True True True"]


KERAS_AT_THE_TOP = """
import tensorflow as tf

print(tf.metrics.BinaryAccuracy is tf.keras.metrics.BinaryAccuracy, tf.losses.Huber is tf.keras.losses.Huber)
print(tf.optimizers.Adam is tf.keras.optimizers.Adam, tf.initializers.Zeros is tf.keras.initializers.Zeros)
print(tf.data.experimental.AUTOTUNE == tf.data.AUTOTUNE, tf.data.Dataset.range(5).cardinality().numpy())
"""


def test_parts_of_keras_have_names_in_tensorflow(tmp_path):
    assert output_of(tmp_path, KERAS_AT_THE_TOP).split() == ["True"] * 5 + ["5"]


TRAINING = """
import numpy as np
import tensorflow as tf

x, y = np.arange(40, dtype="float32").reshape(20, 2) / 40, np.arange(20, dtype="float32")
train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(20).batch(6).prefetch(tf.data.AUTOTUNE)
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
history = model.fit(train, epochs=3, validation_data=train.take(1), verbose=0)
print(len(train), len(history.history["val_loss"]), model.evaluate(train, verbose=0) > 0)
print(model.predict(tf.data.Dataset.from_tensor_slices(x).batch(8), verbose=0).shape)
print(len(model.fit(train.repeat(), epochs=2, steps_per_epoch=5, verbose=0).epoch))

optimizer = tf.keras.optimizers.SGD(0.1)
losses = []
for step, (rows, targets) in enumerate(train.repeat(3)):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(targets - tf.squeeze(model(rows, training=True), axis=1)))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    losses.append(float(loss))
print(len(losses), losses[-1] < losses[0])
"""


def test_a_dataset_trains_a_model(tmp_path):
    assert output_of(tmp_path, TRAINING).splitlines() == ["4 3 True", "(20, 1)", "2", "12 True"]


FOLDERS = """
import os
import numpy as np
from keras.utils import text_dataset_from_directory, timeseries_dataset_from_array

for name in ("neg", "pos"):
    os.makedirs(f"reviews/{name}")
    for i in range(10):
        with open(f"reviews/{name}/{i}.txt", "w") as file:
            file.write(f"{name} {i}")

texts = []
for subset in ("training", "validation"):
    part = text_dataset_from_directory("reviews", batch_size=6, validation_split=0.25, subset=subset, seed=3)
    for x, y in part:
        texts += x.numpy().tolist()
        assert [text.numpy().decode()[:3] for text in x] == [part.class_names[label] for label in y]
    print([batch[0].shape for batch in part])
print(len(set(texts)))
hot = text_dataset_from_directory("reviews", label_mode="categorical", shuffle=False, verbose=False)
print(next(iter(hot))[1].sum(axis=0).tolist(), next(iter(hot))[0][0])
print(next(iter(text_dataset_from_directory("reviews", label_mode=None, shuffle=False, verbose=False)))[-1])

series = np.arange(20.0)
pairs = timeseries_dataset_from_array(series[:-3], series[3:], sequence_length=3, batch_size=2)
print([part.tolist() for part in next(iter(pairs))], len(pairs))
spread = timeseries_dataset_from_array(series, None, 4, sequence_stride=2, sampling_rate=3, start_index=2, end_index=18)
print([batch[:, [0, 3]].tolist() for batch in spread])
firsts = timeseries_dataset_from_array(series, series, 2, batch_size=5, shuffle=True, seed=1)
print(sorted(int(y) for _, ys in firsts for y in ys) == list(range(19)))
"""


def test_datasets_from_folders_and_series(tmp_path):
    assert output_of(tmp_path, FOLDERS).splitlines() == [
        "Found 20 files belonging to 2 classes.",
        "Using 15 files for training.",
        "[(6,), (6,), (3,)]",
        "Found 20 files belonging to 2 classes.",
        "Using 5 files for validation.",
        "[(5,)]",
        "20",
        "[10.0, 10.0] b'neg 0'",
        "b'pos 9'",
        "[[[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]], [3.0, 4.0]] 8",
        "[[[2.0, 11.0], [4.0, 13.0], [6.0, 15.0], [8.0, 17.0]]]",
        "True",
    ]


LINES = """
import gzip
import tensorflow as tf

for number in range(3):
    with open(f"{number}.txt", "w", newline="") as file:
        file.write(f"{number} one\\nand\\r\\n" if number else "")
names = tf.data.Dataset.list_files("*.txt", shuffle=False)
print([name.numpy().decode() for name in names], sorted(tf.data.Dataset.list_files(["1.*", "2.*"]).as_numpy_iterator()))
print(list(tf.data.TextLineDataset(["0.txt", "1.txt"]).as_numpy_iterator()))
with gzip.open("packed", "wb") as file:
    file.write(b"in a\\nfew bytes")
print(list(tf.data.TextLineDataset("packed", "GZIP").as_numpy_iterator()))
lines = names.flat_map(tf.data.TextLineDataset)
print(tf.data.experimental.cardinality(lines).numpy(), [len(line.numpy()) for line in lines])
try:
    tf.data.Dataset.list_files("none.*")
except ValueError as error:
    print(error)
"""


def test_lines_of_files(tmp_path):
    assert output_of(tmp_path, LINES).splitlines() == [
        "['0.txt', '1.txt', '2.txt'] [b'1.txt', b'2.txt']",
        "[b'1 one', b'and']",
        "[b'in a', b'few bytes']",
        "-2 [5, 3, 5, 3]",
        "tf.data.Dataset.list_files: no file fits. Received: 'none.*'",
    ]


def test_texts_of_a_folder_are_as_they_were_written(tmp_path):
    (tmp_path / "one.txt").write_bytes("\uc548\r\ntwo".encode())
    for longest, wanted in ((None, "\uc548\r\ntwo"), (2, "\uc548\r")):
        found = text_dataset_from_directory(tmp_path, labels=None, max_length=longest, verbose=False)
        assert next(iter(found)).numpy().tolist() == [wanted.encode()]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Dataset.range(3).batch(0), "tf.data.Dataset: `batch_size` must be a positive integer"),
        (lambda: TextLineDataset("a", "ZLIB"), "`compression_type` must be None or 'GZIP'. Received: 'ZLIB'"),
        (
            lambda: timeseries_dataset_from_array(np.arange(9), None, 3, sampling_rate=0),
            "`sampling_rate` must be a pos",
        ),
        (lambda: text_dataset_from_directory(".", label_mode=None, class_names=["a"]), "`class_names` are folders"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()


OF_TEXTS = """
import re
import string
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import TextVectorization
from tensorflow.keras.layers.experimental import preprocessing

def standardized(texts):
    plain = tf.strings.regex_replace(tf.strings.lower(texts), "<br />", " ")
    return tf.strings.regex_replace(plain, "[%s]" % re.escape(string.punctuation), "")

layer = TextVectorization(standardize=standardized, split=lambda texts: tf.strings.split(texts))
layer.adapt(tf.data.Dataset.from_tensor_slices(["A b!<br />", "b"]).batch(1))
print(layer.get_vocabulary(), layer(tf.constant(["B a"])).numpy())
lookup = preprocessing.StringLookup(vocabulary=["a", "b"])
ids = tf.data.Dataset.from_tensor_slices({"t": np.array(["b", "c"], object)}).map(lambda row: lookup(row["t"]))
print(list(ids.as_numpy_iterator()), [tf.keras.Input((1,), dtype=kind).dtype for kind in (tf.string, tf.int64)])
print(tf.keras.preprocessing.text_dataset_from_directory is tf.keras.utils.text_dataset_from_directory)
try:
    tf.strings.ngrams
except AttributeError as error:
    print(error)
"""


def test_texts_are_standardized_and_looked_up(tmp_path):
    process = run(tmp_path, OF_TEXTS)
    assert process.stdout.splitlines() == [
        "['', '[UNK]', 'b', 'a'] [[2 3]]",
        "[np.int64(2), np.int64(0)] ['string', 'int64']",
        "True",
        "fastkeras has no tensorflow.strings.ngrams. Write it in Python: text.numpy() gives bytes, .decode() a str.",
    ]
    old = "tensorflow.keras.layers.experimental.preprocessing"
    assert process.stderr == f"script.py:16: {old}.StringLookup is keras.layers.StringLookup now.\n"


OF_TENSORFLOW_1 = """
import tensorflow as tf

tf.compat.v1.disable_eager_execution()
tf.set_random_seed(1)
tf.set_random_seed(2)
"""


def test_what_tensorflow_1_had_is_noticed(tmp_path):
    process = run(tmp_path, OF_TENSORFLOW_1)
    assert process.returncode == 0
    assert process.stderr.splitlines() == [
        "script.py:4: disable_eager_execution() has no effect here: there are no graphs of symbols, and no sessions.",
        "script.py:5: tf.set_random_seed is tf.random.set_seed now.",
    ]


MISSING = """
import tensorflow as tf

rows = tf.data.Dataset.range(3)
names = "rows.snapshot", "rows.shufle"
names += "tf.image.resize", "tf.Session()", "tf.placeholder('float32')", "tf.reduce_meen"
for code in names:
    try:
        eval(code)
    except AttributeError as error:
        print(error)
try:
    from tensorflow.keras.applications import VGG16
except ImportError as error:
    print(error)
"""


def test_what_is_missing_says_what_to_write_instead(tmp_path):
    assert output_of(tmp_path, MISSING).splitlines() == [
        "fastkeras has no tensorflow.data.Dataset.snapshot.",
        "fastkeras has no tensorflow.data.Dataset.shufle. Did you mean 'shuffle'?",
        "fastkeras has no tensorflow.image. Prepare pictures with numpy or Pillow.",
        "fastkeras has no tensorflow.Session. Nothing runs in sessions: operations give their results at once.",
        "fastkeras has no tensorflow.placeholder. Write a function of tensors, or keras.Input for a model.",
        "fastkeras has no tensorflow.reduce_meen. Did you mean 'reduce_mean'?",
        "fastkeras has no tensorflow.keras.applications.VGG16. Pretrained networks of pictures are not part of it.",
    ]
