"""Whole models, written once for fastkeras, Keras 3 and tf_keras, and what they must agree on.

Each case is a function of the keras module that returns (model, data, options of compile, options of fit). Everything
random comes from RandomState, whose streams never change, so that a case needs no stored data.
"""

import numpy as np

EPOCHS = 3


def random_weights(model, seed):
    """Weights that are unlike each other, so that no exchange of two goes unseen."""
    rng = np.random.RandomState(seed)
    model.set_weights([rng.normal(size=w.shape, scale=0.4).astype("f") for w in model.get_weights()])
    for layer in model.layers:
        if hasattr(layer, "moving_variance"):
            *others, variance = layer.get_weights()
            layer.set_weights([*others, np.abs(variance) + 0.5])


def run(keras, case):
    """Predictions before and after training, the history, and an evaluation: plain lists, as JSON holds them."""
    return trained(keras, case)[0]


def trained(keras, case):
    """(what `run` returns, the model after it)

    The sizes of batches differ, but for a stateful model, which takes one.
    """
    model, (x, y), compile_options, fit_options = case(keras)
    random_weights(model, 3)
    sizes = [fit_options["batch_size"]] * 3 if case is stateful_lstm else [32, 7, 5]
    before = model.predict(x, batch_size=sizes[0], verbose=0)
    optimizer, rate = compile_options.pop("optimizer")
    model.compile(optimizer=getattr(keras.optimizers, optimizer)(learning_rate=rate), **compile_options)
    history = model.fit(x, y, epochs=EPOCHS, shuffle=False, verbose=0, **fit_options).history
    results = {
        "before": plain(before),
        "history": {key: plain(values) for key, values in history.items()},
        "evaluate": plain(model.evaluate(x, y, batch_size=sizes[1], verbose=0)),
        "after": plain(model.predict(x, batch_size=sizes[2], verbose=0)),
    }
    return results, model


def plain(values):
    """Nested lists of numbers with the eight digits that float32 needs."""
    return [float(f"{v:.8g}") for v in values] if np.ndim(values) == 1 else [plain(v) for v in values]


def features(n, D, seed=0):
    return np.random.RandomState(seed).normal(size=(n, D)).astype("f")


def tokens(n, T, V, seed=0):
    """Ids padded in front with zeros, as pad_sequences leaves them; rows 2 and 3 begin alike, row 4 is all padding."""
    rng = np.random.RandomState(seed)
    ids = rng.randint(1, V, (n, T)).astype("int32")
    for row, length in zip(ids, rng.randint(1, T + 1, n), strict=True):
        row[: T - length] = 0
    ids[3, : T // 2] = ids[2, : T // 2]
    ids[4] = 0
    return ids


def built(model, x):
    """The model, built by its first call."""
    model.predict(x[:2], verbose=0)
    return model


def linear_regression(keras):
    x = features(29, 3)
    y = x @ [1.0, -2.0, 0.5] + 0.3
    model = keras.Sequential([keras.layers.Dense(1)])
    return built(model, x), (x, y), {"optimizer": ("SGD", 0.01), "loss": "mse", "metrics": ["mae"]}, {"batch_size": 1}


def mlp(keras):
    x = features(53, 4)
    y = (x.sum(axis=1) > 0).astype("int32")
    model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
    options = {"optimizer": ("RMSprop", 0.01), "loss": "binary_crossentropy", "metrics": ["acc"]}
    return built(model, x), (x, y), options, {"batch_size": 8, "validation_split": 0.2}


def _classifier(keras):
    x = features(47, 5)
    model = keras.Sequential([keras.layers.Dense(7, activation="tanh"), keras.layers.Dense(3, activation="softmax")])
    return built(model, x), x, np.abs(x[:, :3]).argmax(axis=1)


def softmax_categorical(keras):
    model, x, labels = _classifier(keras)
    options = {"optimizer": ("Adam", 0.02), "loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    return model, (x, np.eye(3, dtype="f")[labels]), options, {"batch_size": 16}


def softmax_sparse(keras):
    model, x, labels = _classifier(keras)
    options = {"optimizer": ("Adam", 0.02), "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}
    return model, (x, labels), options, {"batch_size": 16, "class_weight": {0: 2.0, 1: 0.5, 2: 1.5}}


def softmax_under_the_other_crossentropy(keras):
    """A common slip; the loss is computed from what is under the softmax, whichever crossentropy it is."""
    model, x, labels = _classifier(keras)
    options = {"optimizer": ("SGD", 0.1), "loss": "binary_crossentropy", "metrics": ["categorical_accuracy"]}
    return model, (x, np.eye(3, dtype="f")[labels]), options, {"batch_size": 16}


def weighted_with_regularizers(keras):
    x = features(31, 4)
    L = keras.layers
    model = keras.Sequential(
        [
            L.Dense(6, activation="elu", kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1(0.02)),
            L.Dense(2, kernel_constraint="non_neg", activation="sigmoid"),
        ]
    )
    y = np.stack([x[:, 0] > 0, x[:, 1] * x[:, 2] > 0], axis=1).astype("f")
    weights = np.random.RandomState(5).uniform(0.1, 3, 31)
    options = {"optimizer": ("SGD", 0.1), "loss": "binary_crossentropy", "weighted_metrics": ["binary_accuracy"]}
    return built(model, x), (x, y), options, {"batch_size": 10, "sample_weight": weights}


def _text(keras, optimizer, rate, mask_zero, **rnn):
    L, x = keras.layers, tokens(41, 11, 19)
    layers = [L.Embedding(19, 6, mask_zero=mask_zero), L.SimpleRNN(5, **rnn), L.Dense(1, activation="sigmoid")]
    y = ((x == 3).sum(axis=1) + (x == 5).sum(axis=1) > 0).astype("int32")
    options = {"optimizer": (optimizer, rate), "loss": "binary_crossentropy", "metrics": ["acc"]}
    return built(keras.Sequential(layers), x), (x, y), options, {"batch_size": 16}


def rnn_rmsprop(keras):
    return _text(keras, "RMSprop", 0.01, False)


def rnn_adam(keras):
    return _text(keras, "Adam", 0.01, False)


def rnn_sgd(keras):
    return _text(keras, "SGD", 0.1, False, go_backwards=True, use_bias=False)


def masked_rnn_rmsprop(keras):
    return _text(keras, "RMSprop", 0.01, True)


def masked_rnn_adam(keras):
    return _text(keras, "Adam", 0.01, True, activation="relu")


def masked_rnn_sgd(keras):
    return _text(keras, "SGD", 0.1, True)


def masked_tagger(keras):
    """A label at every step: the mask reaches the loss and the accuracy."""
    L, x = keras.layers, tokens(23, 7, 13)
    model = keras.Sequential(
        [
            L.Embedding(13, 4, mask_zero=True),
            L.SimpleRNN(6, return_sequences=True),
            L.SimpleRNN(5, return_sequences=True, go_backwards=False),
            L.Dense(3, activation="softmax"),
        ]
    )
    x[4] = 1  # a batch's mean is over its unmasked steps; rows without any are fine, batches are not
    options = {"optimizer": ("SGD", 0.2), "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    return built(model, x), (x, x % 3), options, {"batch_size": 8}


def masking_layer(keras):
    L = keras.layers
    x = np.random.RandomState(2).normal(size=(19, 6, 3)).astype("f")
    x[tokens(19, 6, 9) == 0] = 0.0
    y = (x.sum(axis=(1, 2)) > 0).astype("f")
    model = keras.Sequential([L.Masking(0.0), L.SimpleRNN(4, return_sequences=True), L.SimpleRNN(3), L.Dense(1)])
    return built(model, x), (x, y), {"optimizer": ("SGD", 0.05), "loss": "mae", "metrics": ["mse"]}, {"batch_size": 4}


def flattened_embedding(keras):
    L, x = keras.layers, tokens(37, 5, 11)
    layers = [L.Embedding(11, 3), L.Flatten(), L.Dense(4, activation="relu"), L.Dense(2), L.Activation("softmax")]
    layers = [keras.Input((5,), dtype="int32"), *layers]
    y = (x[:, -1] > 5).astype("int32")
    options = {"optimizer": ("SGD", 0.1), "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}
    return built(keras.Sequential(layers), x), (x, y), options, {"batch_size": 9}


# --- LSTM and GRU ----------------------------------------------------------------------------------------------------


def padded(n, T, V, padding):
    """`tokens` with its zeros in front ("pre"), behind ("post"), or anywhere ("middle"); row 4 stays all padding."""
    ids = tokens(n, T, V)
    if padding == "post":
        return np.ascontiguousarray(ids[:, ::-1])
    if padding == "middle":
        ids[np.random.RandomState(7).uniform(size=ids.shape) < 0.3] = 0
    return ids


def _reader(keras, layer, optimizer, rate, padding=None, **options):
    """One class of a text by its last state, masked if a padding is named."""
    L, x = keras.layers, padded(29, 9, 17, padding or "pre")
    layers = [
        L.Embedding(17, 6, mask_zero=padding is not None),
        getattr(L, layer)(5, **options),
        L.Dense(1, activation="sigmoid"),
    ]
    y = ((x == 3).sum(axis=1) + (x == 5).sum(axis=1) > 0).astype("int32")
    options = {"optimizer": (optimizer, rate), "loss": "binary_crossentropy", "metrics": ["acc"]}
    return built(keras.Sequential(layers), x), (x, y), options, {"batch_size": 12}


def lstm_sgd(keras):
    return _reader(keras, "LSTM", "SGD", 0.2, "middle", go_backwards=True)


def lstm_rmsprop(keras):
    return _reader(keras, "LSTM", "RMSprop", 0.01, "post", use_bias=False, activation="relu")


def lstm_with_activations_of_keras_3(keras):
    return _reader(keras, "LSTM", "SGD", 0.2, activation="softsign", recurrent_activation="hard_sigmoid")


def gru_sgd(keras):
    return _reader(keras, "GRU", "SGD", 0.2, "middle", go_backwards=True)


def gru_without_bias_sgd(keras):
    return _reader(keras, "GRU", "SGD", 0.2, use_bias=False, activation="silu", recurrent_activation="softsign")


def gru_reset_before_adam(keras):
    return _reader(keras, "GRU", "Adam", 0.01, "pre", reset_after=False)


def gru_reset_before_sgd(keras):
    return _reader(keras, "GRU", "SGD", 0.2, "post", reset_after=False, activation="relu")


def _series(n, T, D, padding):
    """Features (n, T, D), zero where a step is to be masked."""
    x = np.random.RandomState(2).normal(size=(n, T, D)).astype("f")
    x[padded(n, T, 9, padding) == 0] = 0.0
    return x


def stacked_adam(keras):
    """All three layers, one on another, over masked steps; no ids that repeat, so Adam agrees with both."""
    L, x = keras.layers, _series(19, 7, 3, "middle")
    layers = [
        L.Masking(0.0),
        L.LSTM(4, return_sequences=True),
        L.GRU(5, return_sequences=True, go_backwards=True),
        L.SimpleRNN(4, return_sequences=True),
        L.LSTM(3),
        L.Dense(1),
    ]
    y = x.sum(axis=(1, 2))
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, y), options, {"batch_size": 6}


def regularized(keras):
    """Penalties and constraints on every weight of LSTM and GRU."""
    L, x = keras.layers, _series(19, 5, 3, "pre")
    told = {
        "kernel_regularizer": "l2",
        "recurrent_regularizer": "l1",
        "bias_regularizer": keras.regularizers.L1L2(0.02, 0.01),
        "activity_regularizer": "l2",
        "kernel_constraint": keras.constraints.MaxNorm(0.8),
        "recurrent_constraint": "unit_norm",
        "bias_constraint": "non_neg",
    }
    layers = [L.LSTM(4, return_sequences=True, **told), L.GRU(3, **told), L.Dense(1)]
    options = {"optimizer": ("SGD", 0.1), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def states_passed_on(keras):
    """What the tutorials call an encoder and a decoder: the second layer starts from the states of the first."""
    L, x = keras.layers, _series(19, 6, 3, "post")
    start = keras.Input((6, 3))
    steps = L.Masking(0.0)(start)
    read, h, c = L.LSTM(4, return_sequences=True, return_state=True)(steps)
    again = L.LSTM(4, return_sequences=True)(read, initial_state=[c, h])
    last = L.GRU(4, reset_after=False)(again, initial_state=h)
    model = keras.Model(start, L.Dense(1)(last))
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return model, (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def stateful_lstm(keras):
    """The states go on from batch to batch, and from fit to predict."""
    L, x = keras.layers, _series(24, 5, 3, "middle")
    layers = [
        keras.Input(batch_shape=(6, 5, 3)),
        L.LSTM(4, stateful=True, return_sequences=True),
        L.GRU(3, stateful=True),
        L.Dense(1),
    ]
    options = {"optimizer": ("RMSprop", 0.01), "loss": "mse", "metrics": ["mae"]}
    return keras.Sequential(layers), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def _tagger(keras, padding, *layers):
    x = padded(23, 7, 13, padding)
    x[4] = 1  # a batch's mean is over its unmasked steps; rows without any are fine, batches are not
    return built(keras.Sequential([keras.layers.Embedding(13, 4, mask_zero=True), *layers]), x), x


def lstm_tagger(keras):
    """Loss and accuracy over unmasked steps, each with a weight of its own."""
    L = keras.layers
    model, x = _tagger(keras, "post", L.LSTM(6, return_sequences=True), L.Dense(3, activation="softmax"))
    options = {
        "optimizer": ("SGD", 0.2),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "weighted_metrics": ["sparse_categorical_crossentropy"],
    }
    weights = np.random.RandomState(5).uniform(0.1, 3, x.shape)
    return model, (x, x % 3), options, {"batch_size": 8, "sample_weight": weights}


def gru_tagger(keras):
    """A number at every step; the last layer puts its steps out in reverse, and the mask stays as it is."""
    L = keras.layers
    layers = L.GRU(6, return_sequences=True), L.GRU(5, return_sequences=True, go_backwards=True), L.Dense(2)
    model, x = _tagger(keras, "middle", *layers)
    y = np.stack([x % 3, x % 2], axis=2).astype("f")
    options = {"optimizer": ("SGD", 0.05), "loss": "mse", "metrics": ["mae"]}
    return model, (x, y), options, {"batch_size": 8}


def bidirectional_tagger(keras):
    """The tutorial's tagger."""
    L = keras.layers
    model, x = _tagger(
        keras,
        "pre",
        L.Bidirectional(L.LSTM(4, return_sequences=True)),
        L.TimeDistributed(L.Dense(3, activation="softmax")),
    )
    options = {"optimizer": ("SGD", 0.2), "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}
    return model, (x, x % 3), options, {"batch_size": 8}


def bidirectional_stack(keras):
    """Every way of merging, over masked steps, with a last layer that gives one vector."""
    L, x = keras.layers, _series(19, 6, 3, "middle")
    layers = [
        L.Masking(0.0),
        L.Bidirectional(L.GRU(4, return_sequences=True), merge_mode="sum"),
        L.Bidirectional(L.SimpleRNN(4, return_sequences=True), merge_mode="mul"),
        L.Bidirectional(
            L.LSTM(3, return_sequences=True),
            merge_mode="ave",
            backward_layer=L.LSTM(3, return_sequences=True, go_backwards=True, activation="relu"),
        ),
        L.Bidirectional(L.GRU(3, reset_after=False)),
        L.Dense(1),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def bidirectional_states(keras):
    """Both directions of one layer give the states that those of the next start from."""
    L, x = keras.layers, features(19, 15).reshape(19, 5, 3)
    start = keras.Input((5, 3))
    y, *states = L.Bidirectional(L.LSTM(4, return_state=True), merge_mode="ave")(start)
    decoded = L.Bidirectional(L.LSTM(4, return_sequences=True))(L.RepeatVector(3)(y), initial_state=states)
    model = keras.Model(start, L.TimeDistributed(L.Dense(2))(decoded))
    options = {"optimizer": ("RMSprop", 0.01), "loss": "mse", "metrics": ["mae"]}
    return model, (x, x[:, 1:4, :2]), options, {"batch_size": 6}


def time_distributed_reader(keras):
    """Sentences of a document: a recurrent layer at each step of another."""
    L, x = keras.layers, features(13, 60).reshape(13, 4, 5, 3)
    sentence = keras.Sequential([keras.Input((5, 4)), L.Dense(3, activation="relu"), L.GRU(4)])
    layers = [
        L.TimeDistributed(L.Dense(4, activation="tanh")),
        L.TimeDistributed(sentence),
        L.TimeDistributed(L.Activation("tanh")),
        L.SpatialDropout1D(0.0),
        L.LSTM(3),
        L.Dense(1),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2, 3))), options, {"batch_size": 5}


def rnn_of_cells(keras):
    """Cells one by one, stacked, and in both directions, over masked steps."""
    L, x = keras.layers, _series(19, 7, 3, "middle")
    layers = [
        L.Masking(0.0),
        L.RNN([L.LSTMCell(4), L.GRUCell(3, reset_after=False), L.SimpleRNNCell(4)], return_sequences=True),
        L.Bidirectional(L.RNN(L.GRUCell(3), return_sequences=True)),
        L.RNN(L.LSTMCell(3, use_bias=False), go_backwards=True),
        L.Dense(1),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


# --- convolution and pooling -----------------------------------------------------------------------------------------


def convolved_text(keras):
    """What learners put on an Embedding: filters over words, and the strongest answer of each."""
    L, x = keras.layers, tokens(41, 11, 19)
    layers = [L.Embedding(19, 6), L.Conv1D(7, 3, activation="relu"), L.GlobalMaxPooling1D(), L.Dense(1)]
    y = ((x == 3).sum(axis=1) + (x == 5).sum(axis=1) > 0).astype("f")
    options = {"optimizer": ("SGD", 0.05), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, y), options, {"batch_size": 16}


def mean_of_unmasked_steps(keras):
    L, x = keras.layers, padded(37, 7, 13, "middle")
    x[4] = 1  # the mean of no steps is NaN
    x[(x == 0).all(axis=1), 0] = 1
    layers = [L.Embedding(13, 5, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")]
    options = {"optimizer": ("SGD", 0.5), "loss": "binary_crossentropy", "metrics": ["acc"]}
    return built(keras.Sequential(layers), x), (x, (x[:, -1] > 5).astype("f")), options, {"batch_size": 9}


def convolved_series(keras):
    """Every padding of sequences, strides, dilation and groups; no ids that repeat, so Adam agrees with both."""
    L, x = keras.layers, _series(23, 17, 3, "pre")
    layers = [
        L.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="tanh"),
        L.Conv1D(4, 4, padding="same", groups=2, use_bias=False),
        L.MaxPooling1D(3, strides=2, padding="same"),
        L.Conv1D(5, 3, strides=2, activation="softmax"),
        L.AveragePooling1D(2, padding="same"),
        L.GlobalAveragePooling1D(),
        L.Dense(1),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def _images(keras, layers, classes=3):
    """Which of three channels is the brightest, in images of 9 x 11."""
    x = np.random.RandomState(2).uniform(size=(31, 9, 11, 3)).astype("f")
    model = keras.Sequential([*layers, keras.layers.Dense(classes, activation="softmax")])
    options = {"optimizer": ("Adam", 0.02), "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    return built(model, x), (x, x.sum(axis=(1, 2)).argmax(axis=1)), options, {"batch_size": 8}


def image_classifier(keras):
    """What learners put on MNIST."""
    L = keras.layers
    return _images(
        keras,
        [
            L.Conv2D(4, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(6, (3, 2), activation="relu"),
            L.Flatten(),
            L.Dense(7, activation="relu"),
        ],
    )


def images_of_all_kinds(keras):
    """Every padding of images, strides, dilation and groups; penalties and constraints; windows that stand out."""
    L = keras.layers
    told = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "kernel_constraint": "unit_norm"}
    return _images(
        keras,
        [
            L.Conv2D(6, (2, 3), padding="same", dilation_rate=(2, 1), activation="silu", **told),
            L.AveragePooling2D((3, 2), strides=(1, 2), padding="same"),
            L.Conv2D(4, 3, strides=2, padding="same", groups=2, activation="softmax", activity_regularizer="l2"),
            L.MaxPooling2D(3, strides=1, padding="same"),
            L.GlobalAveragePooling2D(),
        ],
    )


def channels_first(keras):
    """The channels on axis 1; a softmax looks at the last axis all the same."""
    L = keras.layers
    first = {"data_format": "channels_first"}
    return _images(
        keras,
        [
            L.Conv2D(4, 3, padding="same", strides=(1, 2), **first),
            L.MaxPooling2D((2, 1), **first),
            L.Conv2D(3, (2, 1), activation="softmax", **first),
            L.GlobalMaxPooling2D(keepdims=True, **first),
            L.Flatten(**first),
        ],
    )


def denoising_autoencoder(keras):
    """What learners put on noisy digits: convolutions and pooling down, transposed convolutions and repetition up."""
    L, x = keras.layers, np.random.RandomState(2).uniform(size=(31, 8, 12, 1)).astype("f")
    layers = [
        L.Conv2D(4, 3, activation="relu", padding="same"),
        L.MaxPooling2D(2, padding="same"),
        L.Conv2D(3, 3, strides=2, activation="relu", padding="same"),
        L.Conv2DTranspose(4, 3, strides=2, activation="relu", padding="same"),
        L.UpSampling2D(2),
        L.Conv2DTranspose(3, (2, 3), kernel_regularizer="l2"),
        L.Conv2D(1, (2, 3), activation="sigmoid"),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "binary_crossentropy", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, np.where(x > 0.5, 1, 0).astype("f")), options, {"batch_size": 8}


def separable_images(keras):
    """Channels that are convolved on their own, with penalties and constraints on every weight."""
    L = keras.layers
    told = {"depthwise_regularizer": "l2", "bias_regularizer": "l1", "depthwise_constraint": "unit_norm"}
    pointwise = {"pointwise_regularizer": keras.regularizers.L1(0.01), "pointwise_constraint": "max_norm"}
    return _images(
        keras,
        [
            L.DepthwiseConv2D((2, 3), padding="same", depth_multiplier=2, activation="relu", **told),
            L.SpatialDropout2D(0.0),
            L.SeparableConv2D(5, 3, strides=2, depth_multiplier=2, activation="tanh", **told, **pointwise),
            L.DepthwiseConv2D(2, dilation_rate=2, use_bias=False),
            L.GlobalAveragePooling2D(),
        ],
    )


def separable_series(keras):
    """The same over sequences, and back to their length."""
    L, x = keras.layers, _series(23, 17, 3, "pre")
    layers = [
        L.SeparableConv1D(6, 3, padding="same", activation="relu"),
        L.DepthwiseConv1D(3, strides=2, depth_multiplier=2),
        L.Conv1DTranspose(4, 4, strides=2, activation="tanh"),
        L.Conv1DTranspose(3, 3, padding="same", strides=2, output_padding=1),
        L.GlobalMaxPooling1D(),
        L.Dense(1),
    ]
    options = {"optimizer": ("RMSprop", 0.01), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def reshaped_images(keras):
    """Layers that only move values."""
    L = keras.layers
    return _images(
        keras,
        [
            L.ZeroPadding2D(((1, 0), (0, 2))),
            L.Conv2D(4, 3, strides=2, activation="relu"),
            L.UpSampling2D((2, 3), interpolation="bilinear"),
            L.Cropping2D((1, (3, 2))),
            L.UpSampling2D(2),
            L.Permute((3, 1, 2)),
            L.Reshape((4, -1)),
            L.ZeroPadding1D((0, 1)),
            L.UpSampling1D(2),
            L.Cropping1D((1, 2)),
            L.Flatten(),
        ],
    )


def normalized(keras):
    """Both normalizations; the moving variance of images differs in tf_keras, by n / (n-1)."""
    L, x = keras.layers, np.random.RandomState(3).normal(1.0, 2.0, (17, 5, 3, 2)).astype("f")
    layers = [
        L.LayerNormalization(),
        L.BatchNormalization(axis=1, momentum=0.8, gamma_regularizer="l2"),
        L.Flatten(),
        L.Dense(7),
        L.BatchNormalization(scale=False),
        L.LayerNormalization(center=False, epsilon=0.01),
        L.Dense(1),
    ]
    options = {"optimizer": ("SGD", 0.01), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.mean(axis=(1, 2, 3))), options, {"batch_size": 5}


def normalized_masked_text(keras):
    """Batch moments over the steps that a mask keeps, as Keras 3 has them."""
    L, x = keras.layers, padded(19, 7, 11, "post")
    layers = [L.Embedding(11, 3, mask_zero=True), L.BatchNormalization(), L.LSTM(4), L.Dense(1)]
    options = {"optimizer": ("SGD", 0.1), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, features(19, 1)), options, {"batch_size": 6}


# --- merging ---------------------------------------------------------------------------------------------------------


def merged(keras):
    """Branches that come together in every way, by layers and by functions, with axes added and products summed."""
    L, x = keras.layers, features(23, 5)
    start = keras.Input((5,))
    a, b, c = (L.Dense(4, activation=activation)(start) for activation in ("tanh", "sigmoid", "relu"))
    d = L.concatenate([L.add([a, b, c]), L.Subtract()([a, c]), L.Multiply()([a, b, start_of(L, start)])])
    wide = L.Average()([L.Reshape((2, 6))(d), L.RepeatVector(2)(L.Dense(6)(a))])
    wide = L.Concatenate(axis=1)([wide, L.Maximum()([wide, L.Reshape((1, 6))(L.Dense(6)(b))])])
    products = L.Dot((2, 1), normalize=True)([wide, L.minimum([L.Dense(6)(b), L.Dense(6)(c)])])
    y = L.Dense(1)(L.Concatenate()([products, L.dot([a, b], axes=1), a]))
    options = {"optimizer": ("SGD", 0.05), "loss": "mse", "metrics": ["mae"]}
    return keras.Model(start, y), (x, x.sum(axis=1)), options, {"batch_size": 6}


def start_of(L, tensor):
    """Its first four features."""
    return L.Flatten()(L.Cropping1D((0, 1))(L.Reshape((5, 1))(tensor)))


def merged_masked_text(keras):
    """Masks of merged branches, and masked steps that count for nothing in a product or a maximum, as in Keras 3."""
    L, x = keras.layers, padded(19, 7, 11, "post")
    first = keras.Input((7,))
    second = L.Permute((2, 1))(L.RepeatVector(1)(first))
    second = L.Reshape((7,))(L.Concatenate(axis=1)([L.Cropping1D((2, 0))(second), L.Cropping1D((0, 5))(second)]))
    a, b = (L.Embedding(11, 4, mask_zero=True)(ids) for ids in (first, second))
    branches = [L.Multiply()([a, b]), L.Maximum()([a, b]), L.Add()([a, b]), L.Concatenate()([a, b])]
    read = [L.LSTM(3)(branch) for branch in (*branches, L.Concatenate(axis=1)([a, b]))]
    options = {"optimizer": ("SGD", 0.2), "loss": "mse", "metrics": ["mae"]}
    return keras.Model(first, L.Dense(1)(L.concatenate(read))), (x, features(19, 1)), options, {"batch_size": 6}


def attentive_text(keras):
    """A Transformer's block without its sums, whose masked steps leave no trace; then the other kinds of attention."""
    L, x = keras.layers, padded(19, 7, 11, "post")
    x[4, 0] = 1  # not all padding
    start = keras.Input((7,))
    read = L.Embedding(11, 6, mask_zero=True)(start)
    read = L.MultiHeadAttention(2, 3, value_dim=4, kernel_regularizer="l2", name="heads")(read, read)
    read = L.LayerNormalization()(read)
    read = L.MultiHeadAttention(3, 2, use_bias=False, output_shape=5, name="causal")(read, read, use_causal_mask=True)
    read = L.Attention(use_scale=True, score_mode="concat")([read, read])
    read = L.AdditiveAttention()([read, read], use_causal_mask=True)
    read = L.Attention(use_scale=True)([read, read, read])
    model = keras.Model(start, L.Dense(1)(L.GlobalAveragePooling1D()(read)))
    options = {"optimizer": ("SGD", 0.1), "loss": "mse", "metrics": ["mae"]}
    return model, (x, features(19, 1)), options, {"batch_size": 6}


# --- layers with numbers of their own --------------------------------------------------------------------------------


def normalized_by_groups(keras):
    """The other normalizations, activations that are layers, penalties on activations, and noise of no strength."""
    L, x = keras.layers, np.random.RandomState(3).normal(1.0, 2.0, (19, 5, 6)).astype("f")
    layers = [
        keras.Input((5, 6)),
        L.Rescaling(0.5, offset=-0.5),
        L.Normalization(mean=[0.1] * 6, variance=[1.5] * 6),
        L.GaussianNoise(0.0),
        L.Dense(6),
        L.GroupNormalization(3, gamma_regularizer="l2"),
        L.PReLU(shared_axes=[1]),
        L.GroupNormalization(5, axis=1),
        L.ActivityRegularization(l1=0.01, l2=0.02),
        L.Dense(4),
        L.LeakyReLU(0.2),
        L.UnitNormalization(),
        L.GaussianDropout(0.0),
        L.Flatten(),
        L.Dense(7),
        L.ELU(0.5),
        L.AlphaDropout(0.0),
        L.Dense(3),
        L.ReLU(negative_slope=0.1, max_value=2.0, threshold=0.1),
        L.Dense(3),
        L.Softmax(),
    ]
    options = {"optimizer": ("SGD", 0.1), "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}
    return keras.Sequential(layers), (x, np.abs(x.mean(axis=(1, 2))).astype("int32") % 3), options, {"batch_size": 5}


# Where a batch repeats an id, Keras 3 on TensorFlow squares the parts of its gradient one by one, and tf_keras (as the
# formula and every other backend do) their sum: adaptive optimizers over an Embedding are compared with tf_keras.
# So are masks where initial states are given: Keras 3 forgets the mask of a layer that is called on several tensors.
BOTH = ("keras", "tf_keras")
CASES = {
    linear_regression: BOTH,
    mlp: BOTH,
    softmax_categorical: BOTH,
    softmax_sparse: BOTH,
    softmax_under_the_other_crossentropy: BOTH,
    weighted_with_regularizers: BOTH,
    rnn_rmsprop: ("tf_keras",),
    rnn_adam: ("tf_keras",),
    rnn_sgd: BOTH,
    masked_rnn_rmsprop: ("tf_keras",),
    masked_rnn_adam: ("tf_keras",),
    masked_rnn_sgd: BOTH,
    masked_tagger: ("keras",),
    masking_layer: BOTH,
    flattened_embedding: BOTH,
    lstm_sgd: BOTH,
    lstm_rmsprop: ("tf_keras",),
    lstm_with_activations_of_keras_3: ("keras",),
    gru_sgd: BOTH,
    gru_without_bias_sgd: ("tf_keras",),
    gru_reset_before_adam: ("tf_keras",),
    gru_reset_before_sgd: ("keras",),
    stacked_adam: ("keras",),
    regularized: ("keras",),
    states_passed_on: ("tf_keras",),
    stateful_lstm: BOTH,
    lstm_tagger: ("keras",),
    gru_tagger: ("keras",),
    bidirectional_tagger: ("keras",),
    bidirectional_stack: BOTH,
    bidirectional_states: BOTH,
    time_distributed_reader: BOTH,
    rnn_of_cells: BOTH,
    convolved_text: BOTH,
    mean_of_unmasked_steps: BOTH,
    convolved_series: BOTH,
    image_classifier: BOTH,
    images_of_all_kinds: ("keras",),
    channels_first: BOTH,
    denoising_autoencoder: BOTH,
    separable_images: BOTH,
    separable_series: BOTH,
    reshaped_images: BOTH,
    normalized: ("keras",),
    normalized_masked_text: ("keras",),
    merged: BOTH,
    merged_masked_text: ("keras",),
    normalized_by_groups: ("keras",),
    attentive_text: BOTH,
}
