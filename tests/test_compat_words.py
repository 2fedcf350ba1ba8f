"""Spellings of Keras 1 and 2: each means what it meant, and says once what it is called now."""

import re

import numpy as np
import pytest
from running import run

START = """
import numpy as np
import keras
from keras import layers, models
x, y = np.arange(24, dtype="float32").reshape(8, 3) / 24, np.eye(2, dtype="float32")[[0, 1] * 4]
def trained(*, loss="categorical_crossentropy", **options):
    model = models.Sequential([layers.Dense(2, activation="softmax", input_shape=(3,))])
    model.compile("sgd", loss, **options)
    return model
"""

# (old, a fact about what it made, the notices without their place)
ARGUMENTS = [
    (
        "made = layers.Dense(output_dim=4, init='he_normal', W_regularizer='l2', bias=False)",
        "(made.units, type(made.kernel_initializer).__name__, made.kernel_regularizer is None, made.use_bias)",
        "(4, 'HeNormal', False, False)",
        [
            "Dense(output_dim=4, init='he_normal', W_regularizer='l2', bias=False) is "
            "Dense(kernel_initializer='he_normal', kernel_regularizer='l2', use_bias=False, units=4) now."
        ],
    ),
    (
        "made = layers.LSTM(4, inner_activation='sigmoid', dropout_W=0.1, dropout_U=0.2, forget_bias_init='zero', "
        "consume_less='gpu')",
        "(made.dropout, made.recurrent_dropout, made.unit_forget_bias)",
        "(0.1, 0.2, False)",
        [
            "LSTM: consume_less= has no effect here.",
            "LSTM(inner_activation='sigmoid', dropout_W=0.1, dropout_U=0.2, forget_bias_init='zero') is "
            "LSTM(recurrent_activation='sigmoid', dropout=0.1, recurrent_dropout=0.2, unit_forget_bias=False) now.",
        ],
    ),
    (
        "made = layers.Convolution2D(4, 3, 5, border_mode='same', subsample=(2, 1), dim_ordering='tf')",
        "(made.filters, tuple(made.kernel_size), made.padding, tuple(made.strides), made.data_format)",
        "(4, (3, 5), 'same', (2, 1), 'channels_last')",
        [
            "Convolution2D(4, 3, 5) is Conv2D(4, (3, 5)) now.",
            "Conv2D(border_mode='same', subsample=(2, 1), dim_ordering='tf') is "
            "Conv2D(padding='same', strides=(2, 1), data_format='channels_last') now.",
        ],
    ),
    (
        "made = layers.Conv2D(nb_filter=4, nb_row=3, nb_col=5)",
        "(made.filters, tuple(made.kernel_size))",
        "(4, (3, 5))",
        ["Conv2D(nb_filter=4, nb_row=3, nb_col=5) is Conv2D(filters=4, kernel_size=[3, 5]) now."],
    ),
    (
        "made = layers.Convolution1D(nb_filter=4, filter_length=3, input_dim=2, input_length=7)",
        "(made.filters, made.batch_input_shape)",
        "(4, (None, 7, 2))",
        [
            "Conv1D(nb_filter=4, filter_length=3, input_dim=2, input_length=7) is "
            "Conv1D(filters=4, kernel_size=3, input_shape=(7, 2)) now."
        ],
    ),
    ("made = layers.CuDNNGRU(3)", "(type(made).__name__, made.reset_after)", "('GRU', True)", ["CuDNNGRU is GRU now."]),
    (
        "made = layers.IntegerLookup(max_values=5, mask_value=0)",
        "(made.max_tokens, made.mask_token)",
        "(5, 0)",
        ["IntegerLookup(max_values=5, mask_value=0) is IntegerLookup(max_tokens=5, mask_token=0) now."],
    ),
    (
        "made = layers.Discretization(bins=[1.0, 2.0])",
        "made.bin_boundaries",
        "[1.0, 2.0]",
        ["Discretization(bins=[1.0, 2.0]) is Discretization(bin_boundaries=[1.0, 2.0]) now."],
    ),
    (
        "made = layers.CategoryEncoding(max_tokens=3)",
        "made.num_tokens",
        "3",
        ["CategoryEncoding(max_tokens=3) is CategoryEncoding(num_tokens=3) now."],
    ),
    (
        "made = layers.merge([keras.Input((2,)), keras.Input((3,))], mode='concat')",
        "made.shape",
        "(None, 5)",
        ["merge(inputs, mode='concat') is keras.layers.Concatenate(...)(inputs) now."],
    ),
    (
        "made = layers.Merge(mode='dot')([keras.Input((3,)), keras.Input((3,))])",
        "made.shape",
        "(None, 1)",
        ["merge(inputs, mode='dot') is keras.layers.Dot(...)(inputs) now."],
    ),
    (
        "made = layers.GRU(2, batch_input_shape=(4, 5, 3), stateful=True)",
        "made.batch_input_shape",
        "(4, 5, 3)",
        ["batch_input_shape=(4, 5, 3) is keras.Input(batch_shape=(4, 5, 3)) before the layer now."],
    ),
    (
        "made = keras.optimizers.SGD(lr=0.5, decay=0.25, momentum=0.5)",
        "(made.learning_rate, made.decay, made.momentum)",
        "(0.5, 0.25, 0.5)",
        [
            "SGD: lr= is learning_rate= now.",
            "decay=0.25 is learning_rate=keras.optimizers.schedules.InverseTimeDecay(0.5, decay_steps=1, "
            "decay_rate=0.25) now.",
        ],
    ),
    (
        "a = keras.Input((2,)); made = models.Model(input=a, output=layers.Dense(3)(a))",
        "made.output_shape",
        "(None, 3)",
        ["Model: input= is inputs= now.", "Model: output= is outputs= now."],
    ),
    (
        "m = trained(); m.compile('sgd', 'mse', class_mode='binary'); "
        "made = m.fit(x, y, nb_epoch=2, verbose=0, show_accuracy=True)",
        "len(made.history['loss'])",
        "2",
        [
            "compile: class_mode= has no effect here: the loss says it.",
            "fit: nb_epoch= is epochs= now.",
            "fit: show_accuracy= has no effect here: write metrics=['accuracy'] in compile.",
        ],
    ),
    (
        "made = trained().predict_classes(x)",
        "(made.shape, made.dtype.kind)",
        "((8,), 'i')",
        ["predict_classes(x) is predict(x).argmax(axis=-1) now."],
    ),
    (
        "made = trained().predict_proba(x)",
        "(made.shape, bool(abs(made.sum(-1) - 1).max() < 1e-6))",
        "((8, 2), True)",
        ["predict_proba(x) is predict(x) now."],
    ),
    ("m = trained(); made = m.model is m", "made", "True", ["model.model is the model itself now."]),
    ("class Own(models.Model): pass\nmade = Own(); made.model = 3", "made.model", "3", []),
    (
        "made = keras.utils.to_categorical([0, 2], nb_classes=4)",
        "made.shape",
        "(2, 4)",
        ["to_categorical: nb_classes= is num_classes= now."],
    ),
    (
        "made = layers.GRU(3, inner_activation='hard_sigmoid')",
        "float(made.recurrent_activation(np.float32([[1.0]]))[0, 0])",
        str(float(np.float32(0.7))),
        [
            "GRU(inner_activation='hard_sigmoid') is GRU(recurrent_activation='legacy_hard_sigmoid') now.",
        ],
    ),
    (
        "from keras.constraints import maxnorm; made = maxnorm(3)",
        "(type(made).__name__, made.max_value)",
        "('MaxNorm', 3)",
        ["keras.constraints.maxnorm is keras.constraints.max_norm now."],
    ),
    (
        "made = keras.callbacks.ReduceLROnPlateau(epsilon=0.25)",
        "made.min_delta",
        "0.25",
        ["ReduceLROnPlateau: epsilon= is min_delta= now."],
    ),
    (
        "import sys; sys.modules['tensorboard'] = None; made = keras.callbacks.TensorBoard(log_dir='logs')",
        "type(made).__name__",
        "Callback",
        ["TensorBoard writes nothing: the package tensorboard is not installed."],
    ),
    (
        "made = keras.preprocessing.text.Tokenizer(nb_words=7)",
        "made.num_words",
        "7",
        ["Tokenizer: nb_words= is num_words= now."],
    ),
]


EACH = """
import sys
from fastkeras.compat import notices
for number, code in enumerate(CODES):
    notices._said.clear()  # each is told anew
    print(f"case {number}", file=sys.stderr)
    print(f"case {number}")
    try:
        exec(compile(code, "case.py", "exec"), dict(globals()))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
"""


def each(folder, codes):
    """{code: (what it prints, what is said on stderr)} for codes that run one after another in one process."""
    process = run(folder, f"{START}CODES = {codes!r}\n{EACH}")
    assert process.returncode == 0, process.stderr
    return dict(zip(codes, zip(_by_case(process.stdout), _by_case(process.stderr), strict=True), strict=True))


def _by_case(text):
    """The lines of each case: those after its number."""
    return [case.splitlines()[1:] for case in re.split("^case ", text, flags=re.MULTILINE)[1:]]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each of the cases does."""
    return each(tmp_path_factory.mktemp("words"), [f"{old}\nprint({fact})" for old, fact, _, _ in ARGUMENTS])


@pytest.mark.parametrize(("old", "fact", "expected", "notices"), ARGUMENTS)
def test_old_words_mean_what_they_meant(told, old, fact, expected, notices):
    assert told[f"{old}\nprint({fact})"] == ([expected], [f"case.py:1: {notice}" for notice in notices])


def checked(tmp_path, lines, expected, notices):
    """Runs the lines after START; the script must print `expected`, and nothing on stderr but the notices, in order."""
    process = run(tmp_path, START + "\n".join(lines))
    assert (process.returncode, process.stdout) == (0, expected + "\n"), process.stderr
    assert [line.split(": ", 1)[1] for line in process.stderr.splitlines()] == notices


def test_a_spelling_is_noticed_once(tmp_path):
    lines = ["for i in range(3):", "    layers.Dropout(p=0.5)", "layers.GaussianDropout(p=0.25)", "print(1)"]
    checked(tmp_path, lines, "1", ["Dropout(p=0.5) is Dropout(rate=0.5) now."])


def test_a_modern_script_is_told_nothing(tmp_path):
    lines = [
        "model = trained(metrics=['acc'])",
        "history = model.fit(x, y, epochs=2, batch_size=4, validation_split=0.25, verbose=0)",
        "layers.Embedding(5, output_dim=2, input_length=3), layers.Conv2D(4, 3, 2), layers.Convolution2D(4, (3, 3))",
        "model.save('kept.h5'), models.load_model('kept.h5'), models.clone_model(model)",
        "print(sorted(history.history), len(model.evaluate(x, y, verbose=0)))",
    ]
    checked(tmp_path, lines, "['acc', 'loss', 'val_acc', 'val_loss'] 2", [])


GENERATORS = """
def batches():
    while True:
        yield x[:3], y[:3]
steps = []
class Count(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        steps.append(batch)
model = trained()
model.fit_generator(batches(), samples_per_epoch=8, nb_epoch=2, verbose=0, nb_worker=1, callbacks=[Count()])
print(steps, model.evaluate_generator(batches(), val_samples=6) > 0, model.predict_generator(batches(), 2).shape)
model.fit_generator(batches(), 1, validation_data=batches(), nb_val_samples=3, verbose=0)
"""


def test_generators_of_keras_1_count_samples(tmp_path):
    notices = [
        "fit_generator(generator, ...) is fit(generator, ...) now.",
        "fit_generator: nb_worker= has no effect here.",
        "fit_generator: nb_epoch= is epochs= now.",
        "samples_per_epoch=8 samples are steps_per_epoch=3 batches now.",
        "evaluate_generator(generator, ...) is evaluate(generator, ...) now.",
        "val_samples=6 samples are steps=2 batches now.",
        "predict_generator(generator, ...) is predict(generator, ...) now.",
        "nb_val_samples=3 samples are validation_steps=1 batches now.",
    ]
    checked(tmp_path, [GENERATORS], "[0, 1, 2, 0, 1, 2] True (6, 2)", notices)


PREDICTIONS = """
one = models.Sequential([layers.Dense(1, input_shape=(3,))])
y = one.predict(x[:1], verbose=0)
print(float(y) == float(y[0]) == y[0, 0], int(y) == int(float(y)), "%.3f" % y == "%.3f" % y[0, 0])
try:
    float(one.predict(x, verbose=0))
except TypeError as error:
    print("several are no number")
"""


def test_a_single_prediction_is_a_number(tmp_path):
    checked(tmp_path, [PREDICTIONS], "True True True\nseveral are no number", [])


MINIMIZE = """
import tensorflow as tf
w, opt = tf.Variable([3.0, -2.0]), tf.keras.optimizers.SGD(0.25)
opt.minimize(lambda: tf.reduce_sum(w * w), [w])
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(w * w)
opt.minimize(loss, lambda: [w], tape=tape)
print(w.numpy(), int(opt.iterations))
try:
    opt.minimize(loss, [w])
except ValueError as error:
    print(error)
"""


def test_minimize(tmp_path):
    notice = "minimize(loss, variables) is apply_gradients(zip(tape.gradient(loss, variables), variables)) now."
    process = run(tmp_path, MINIMIZE)
    stepped, refused = process.stdout.splitlines()
    assert stepped == "[ 0.75 -0.5 ] 2"  # two steps of w - 0.25 * 2 w
    assert re.match("minimize: a loss that is no function needs its `tape`. Received: loss=", refused)
    assert process.stderr.splitlines() == [f"script.py:4: {notice}"]


OWN_LAYER = """
from keras import backend as K
from keras.engine.topology import InputSpec
class Scale(layers.Layer):
    def build(self, input_shape):
        self.input_spec = [InputSpec(ndim=2)]
        self.scale = K.variable(np.ones(input_shape[-1]), name="scale")
        self.trainable_weights = [self.scale]
        super(Scale, self).build(input_shape)
    def call(self, x, mask=None):
        return x * self.scale
model = models.Sequential([Scale(input_shape=(3,)), layers.Dense(2)])
model.compile("sgd", "mse")
model.fit(x, y, epochs=1, verbose=0)
print(len(model.trainable_weights), bool((model.get_weights()[0] != 1).all()))
"""


def test_a_layer_of_keras_1_says_what_its_weights_are(tmp_path):
    notice = "self.trainable_weights = [...] is self.add_weight(name, shape, initializer) for each now."
    checked(tmp_path, [OWN_LAYER], "3 True", [notice])


CANNOT = {
    "layers.Merge([trained(), trained()], mode='sums')": "ValueError: Merge: `mode` must be one of",
    "layers.Merge([trained(), trained()], mode=lambda x: x[0])": "TypeError: merge: write a Lambda layer for a mode of",
    "layers.Merge([models.Sequential(), trained()])": "ValueError: Model 'sequential",
    "layers.MaxoutDense(3)": "AttributeError: fastkeras has no keras.layers.MaxoutDense. Write Dense(",
    "layers.Dense(3, inits='zeros')": "TypeError: Unknown argument of Dense.",
    "keras.backend.set_session(1)": "AttributeError: fastkeras has no keras.backend.set_session. Nothing runs in",
    "from keras.backend.tensorflow_backend import set_session": "ModuleNotFoundError: fastkeras has no keras.backend."
    "tensorflow_backend.set_session. Nothing runs in sessions",
    "keras.applications.VGG16()": "AttributeError: fastkeras has no keras.applications.VGG16. Pretrained",
}


def test_what_cannot_be_says_what_to_write_instead(tmp_path):
    for code, (printed, said) in each(tmp_path, list(CANNOT)).items():
        assert printed[0].startswith(CANNOT[code])
        assert said == []


BESIDE = """
import os
import fastkeras
place = os.path.dirname(fastkeras.__file__) + "_lessons/lesson.py"  # begins as the package's folder does
exec(compile("import keras\\nkeras.layers.Dense(output_dim=3)", place, "exec"))
"""


def test_a_script_beside_the_package_is_no_part_of_it(tmp_path):
    assert run(tmp_path, BESIDE).stderr.splitlines() == ["lesson.py:2: Dense(output_dim=3) is Dense(units=3) now."]
