"""Models whose files are exchanged with Keras, written once for fastkeras, Keras 3 and tf_keras.

Each case is a function of the keras module that returns (model, x, y). Those models that are compiled have been trained
for a few steps, so that their optimizers have a state to keep.
"""

import numpy as np
from model_data import features, padded, random_weights, tokens

PEERS = ["keras", "tf_keras"]
FIT = {"epochs": 2, "batch_size": 5, "shuffle": False, "verbose": 0}


def text(keras):
    """The tutorial's classifier, built by its first call, with names for optimizer, loss and metric."""
    L = keras.layers
    model = keras.Sequential([L.Embedding(13, 5, mask_zero=True), L.SimpleRNN(7), L.Dense(1, activation="sigmoid")])
    x = tokens(17, 6, 13)
    model.predict(x, verbose=0)
    model.compile("rmsprop", "binary_crossentropy", metrics=["acc"])
    return trained(model, x, np.random.RandomState(1).randint(0, 2, (17, 1)))


def functional(keras):
    """Model(inputs, outputs) with regularizers, constraints and initializers; objects in compile."""
    L = keras.layers
    start = keras.Input((4,), name="measurements")
    hidden = L.Dense(
        7,
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(seed=3),
        kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02),
        bias_regularizer="l2",
        kernel_constraint=keras.constraints.MaxNorm(2.5, axis=0),
    )(start)
    model = keras.Model(start, L.Dense(3, activation="softmax", name="classes")(hidden), name="species")
    model.compile(
        keras.optimizers.Adam(0.02, amsgrad=True, clipnorm=1.5),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy", keras.metrics.SparseCategoricalAccuracy(name="again")],
    )
    return trained(model, features(17, 4), np.random.RandomState(1).randint(0, 3, (17, 1)))


def layers(keras):
    """Every other layer, an input shape given to the first one, momentum, and a schedule for the learning rate."""
    L = keras.layers
    model = keras.Sequential(
        [
            L.Masking(0.0, input_shape=(5, 3)),
            L.SimpleRNN(6, return_sequences=True, use_bias=False, recurrent_regularizer="l1", go_backwards=True),
            L.SimpleRNN(4, activation="relu", return_sequences=True, unroll=True),
            L.Flatten(),
            L.Dropout(0.0, seed=5),
            L.Dense(2, kernel_initializer="zeros"),
            L.Activation("tanh"),
        ],
        name="tower",
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.7)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9, nesterov=True), "mse", metrics=["mae"])
    return trained(model, features(17, 15).reshape(17, 5, 3), features(17, 2, seed=2))


def recurrent(keras):
    """LSTM and GRU with both of its biases, over masked steps."""
    L = keras.layers
    model = keras.Sequential(
        [
            L.Masking(0.0, input_shape=(5, 3)),
            L.LSTM(4, return_sequences=True, unit_forget_bias=False, recurrent_regularizer="l2"),
            L.GRU(3, return_sequences=True, go_backwards=True, bias_constraint="non_neg"),
            L.GRU(4, reset_after=False, activation="relu", recurrent_activation="softsign"),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    x = features(17, 15).reshape(17, 5, 3)
    x[tokens(17, 5, 9) == 0] = 0.0
    return trained(model, x, features(17, 1, seed=2))


def tagger(keras):
    """Bidirectional, with one layer and with two, and TimeDistributed."""
    L = keras.layers
    model = keras.Sequential(
        [
            L.Masking(0.0, input_shape=(5, 3)),
            L.Bidirectional(L.LSTM(4, return_sequences=True), name="both_ways"),
            L.Bidirectional(
                L.GRU(3, return_sequences=True),
                merge_mode="sum",
                backward_layer=L.GRU(3, return_sequences=True, go_backwards=True, activation="relu"),
            ),
            L.TimeDistributed(L.Dense(2, activation="softmax"), name="tags"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["acc"])
    x = features(17, 15).reshape(17, 5, 3)
    return trained(model, x, np.random.RandomState(1).randint(0, 2, (17, 5)))


def cells(keras):
    """RNN around one cell and around several; not compiled."""
    L = keras.layers
    model = keras.Sequential(
        [
            L.RNN(L.LSTMCell(4, unit_forget_bias=False), return_sequences=True, input_shape=(5, 3)),
            L.RNN([L.GRUCell(3), L.SimpleRNNCell(4, activation="relu")], return_sequences=True, go_backwards=True),
            L.Bidirectional(L.RNN(L.GRUCell(3, reset_after=False))),
        ]
    )
    random_weights(model, 5)
    return model, features(17, 15).reshape(17, 5, 3), None


def sequences(keras):
    """Cells in both directions, a model at each step, and the layers that repeat and drop vectors."""
    L = keras.layers
    start = keras.Input((5, 3), name="start")
    read = L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True, name="stack")(L.SpatialDropout1D(0.0)(start))
    both = L.Bidirectional(L.RNN(L.SimpleRNNCell(3, activation="relu"), return_sequences=True), merge_mode="sum")(read)
    step = keras.Sequential([keras.Input((3,)), L.Dense(4, activation="tanh", name="wide")], name="step")
    last = L.RNN(L.GRUCell(2, reset_after=False), go_backwards=True)(L.TimeDistributed(step)(both))
    model = keras.Model(start, L.Flatten()(L.RepeatVector(2)(last)), name="sequences")
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    return trained(model, features(17, 15).reshape(17, 5, 3), features(17, 4, seed=2))


def documents(keras):
    """Both directions over the words of each sentence, then over sentences, with layers as activations; not compiled.

    The second Masking is for Keras 3, whose TimeDistributed hands the mask of the words on.
    """
    L = keras.layers
    start = keras.Input((4, 3, 2), name="document")
    read = L.TimeDistributed(L.Bidirectional(L.GRU(2)), name="sentences")(L.Masking(0.0)(start))
    gates = {"activation": "softmax", "recurrent_activation": L.ReLU(max_value=1.0, name="gate")}
    read = L.LSTM(3, return_sequences=True, zero_output_for_mask=True, **gates)(L.Masking(0.0)(read))
    there, back = L.Bidirectional(L.SimpleRNN(2, return_sequences=True), merge_mode=None, name="apart")(read)
    model = keras.Model(start, L.Flatten()(L.Concatenate()([there, back, read])), name="documents")
    random_weights(model, 5)
    x = features(11, 24).reshape(11, 4, 3, 2)
    x[padded(11, 12, 9, "post").reshape(11, 4, 3) == 0] = 0.0
    return model, x, None


def images(keras):
    """Convolution and pooling of images, and layers that only move values."""
    L = keras.layers
    model = keras.Sequential(
        [
            L.ZeroPadding2D((1, (0, 2)), input_shape=(5, 6, 3)),
            L.Conv2D(6, (2, 3), padding="same", dilation_rate=(1, 2), activation="relu", kernel_regularizer="l2"),
            L.MaxPooling2D(2, strides=1),
            L.Conv2D(4, 3, strides=(2, 1), groups=2, use_bias=False, kernel_constraint="max_norm"),
            L.AveragePooling2D((1, 2), padding="same"),
            L.UpSampling2D((1, 2), interpolation="bilinear"),
            L.Cropping2D(((0, 1), (0, 0))),
            L.Permute((2, 1, 3)),
            L.GlobalAveragePooling2D(keepdims=True),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return trained(model, features(17, 90).reshape(17, 5, 6, 3), np.random.RandomState(1).randint(0, 3, (17, 1)))


def growing_images(keras):
    """Depthwise, separable and transposed convolutions, of images and of sequences."""
    L = keras.layers
    model = keras.Sequential(
        [
            L.DepthwiseConv2D(
                (2, 3),
                depth_multiplier=2,
                padding="same",
                activation="relu",
                depthwise_regularizer="l2",
                input_shape=(5, 6, 3),
            ),
            L.SpatialDropout2D(0.0),
            L.SeparableConv2D(4, 3, pointwise_constraint="max_norm", depthwise_initializer="he_normal"),
            L.Conv2DTranspose(3, (3, 2), strides=2, padding="same", output_padding=(0, 1), use_bias=False),
            L.Reshape((5, -1)),
            L.SeparableConv1D(6, 2, dilation_rate=2, depth_multiplier=2),
            L.Conv1DTranspose(5, 3, activation="tanh", kernel_regularizer="l1"),
            L.DepthwiseConv1D(2, strides=2, bias_constraint="non_neg"),
            L.GlobalAveragePooling1D(),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return trained(model, features(17, 90).reshape(17, 5, 6, 3), np.random.RandomState(1).randint(0, 3, (17, 1)))


def series(keras):
    """Convolution and pooling of sequences; not compiled."""
    L = keras.layers
    start = keras.Input((6, 4), name="steps")
    read = L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="tanh")(L.ZeroPadding1D((2, 1))(start))
    read = L.AveragePooling1D(3, strides=2, padding="same")(L.UpSampling1D(2)(read))
    read = L.MaxPooling1D(2, data_format="channels_first")(L.Conv1D(6, 2, groups=2)(L.Cropping1D(1)(read)))
    outputs = [L.GlobalMaxPooling1D()(read), L.GlobalAveragePooling1D()(read), L.Reshape((-1, 3))(read)]
    model = keras.Model(start, outputs, name="series")
    random_weights(model, 5)
    return model, features(17, 24).reshape(17, 6, 4), None


def stateful(keras):
    """Layers that keep their states, of which files hold nothing; not compiled."""
    L = keras.layers
    start = keras.Input(batch_shape=(17, 5, 3), name="steps")
    read = L.LSTM(4, stateful=True, return_sequences=True, dropout=0.1, recurrent_dropout=0.2)(start)
    read = L.Bidirectional(L.SimpleRNN(2, stateful=True, return_sequences=True), name="both_ways")(read)
    model = keras.Model(start, L.GRU(3, stateful=True, unroll=True)(read), name="stateful")
    random_weights(model, 5)
    return model, features(17, 15).reshape(17, 5, 3), None


def merged(keras):
    """Layers that merge inputs, activations that are layers, and the other normalizations."""
    L = keras.layers
    left, right = keras.Input((5, 6), name="left"), keras.Input((6,), name="right")
    read = L.GroupNormalization(3, name="groups")(L.Rescaling(0.5, offset=0.1)(left))
    read = L.PReLU(shared_axes=[1], name="slopes")(L.Normalization(mean=0.1, variance=1.5, axis=None)(read))
    wide = L.Concatenate(axis=1)([read, L.Reshape((1, 6))(L.LeakyReLU(name="leaky")(right))])
    read = L.Add()(
        [L.Maximum()([read, L.Multiply()([left, read])]), L.Average()([left, read]), L.Minimum()([left, read])]
    )
    scores = L.Dot((2, 1), normalize=True)([wide, L.ELU(0.5)(right)])
    last = L.UnitNormalization()(L.Subtract()([L.Flatten()(read), L.Flatten()(left)]))
    last = L.ActivityRegularization(0.01, 0.02)(L.Dense(3)(L.Concatenate()([last, scores])))
    last = L.ReLU(max_value=6.0)(L.GaussianNoise(0.0)(L.GaussianDropout(0.0)(L.AlphaDropout(0.0)(last))))
    model = keras.Model([left, right], L.Softmax()(L.Dense(3)(last)), name="merged")
    random_weights(model, 5)
    return model, [features(17, 30).reshape(17, 5, 6), features(17, 6, seed=1)], None


def branches(keras):
    """A layer called twice, a model in a model, two inputs and three outputs; not compiled."""
    L = keras.layers
    left, right = keras.Input((5, 3), name="left"), keras.Input((4,), name="right")
    last = L.SimpleRNN(4, name="reader")(left)
    shared = L.Dense(4, activation="tanh", name="shared")
    inner = keras.Sequential([L.Dense(4, name="wide"), L.Dense(3, name="narrow")], name="inner")
    outputs = [inner(shared(last)), shared(right), L.Activation("softmax", name="shares")(last)]
    model = keras.Model([left, right], outputs, name="branches")
    random_weights(model, 5)
    return model, [features(17, 15).reshape(17, 5, 3), features(17, 4, seed=1)], None


def attention(keras):
    """Attention of all kinds, called with tensors and options by keyword; not compiled.

    A mask is used once: Keras 3 takes it off the tensors that a MultiHeadAttention is called on.
    """
    L = keras.layers
    left, right = keras.Input((7,), name="left"), keras.Input((5,), name="right")
    words, marks = (L.Embedding(11, 6, mask_zero=True, name=name) for name in ("words", "marks"))
    heads = L.MultiHeadAttention(2, 3, value_dim=4, output_shape=6, name="heads")
    read = heads(words(left), marks(right))
    read = heads(read, key=words(left), value=words(left), use_causal_mask=True)
    read = L.MultiHeadAttention(1, 4, use_bias=False, kernel_regularizer="l2", name="head")(read, read)
    read = L.Attention(use_scale=True, name="plain")([read, marks(right)])
    read = L.Attention(use_scale=True, score_mode="concat", name="concat")([read, read], use_causal_mask=True)
    read = L.AdditiveAttention(name="additive")([read, marks(right), marks(right)])
    model = keras.Model([left, right], L.GlobalAveragePooling1D()(read), name="attention")
    random_weights(model, 5)
    xs = [padded(17, 7, 11, "post"), padded(17, 5, 11, "pre")]
    xs[0][4, 0] = xs[1][4, -1] = 1  # not all padding
    return model, xs, None


def states(keras):
    """A recurrent layer that starts from a given state, and a Model in a Model; not compiled."""
    L = keras.layers
    inner_start = keras.Input((4,), name="inner_start")
    inner = keras.Model(inner_start, L.Dense(2, name="deep")(inner_start), name="inner")
    steps, state = keras.Input((5, 3), name="steps"), keras.Input((4,), name="state")
    last = L.SimpleRNN(4, name="reader")(steps, initial_state=state)
    model = keras.Model([steps, state], inner(last), name="states")
    random_weights(model, 5)
    return model, [features(17, 15).reshape(17, 5, 3), features(17, 4, seed=1)], None


def trained(model, x, y):
    random_weights(model, 5)
    model.fit(x, y, **FIT)
    return model, x, y


COMPILED = [text, functional, layers, recurrent, tagger, sequences, images, growing_images]
CASES = [*COMPILED, merged, cells, documents, series, stateful, branches, states, attention]


def predictions(model, x):
    """A list of arrays, one for each output; stateful layers begin afresh."""
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            (layer.reset_states if hasattr(layer, "reset_states") else layer.reset_state)()  # Keras 2's and 3's name
    y = model.predict(x, verbose=0)
    return y if isinstance(y, list) else [y]
