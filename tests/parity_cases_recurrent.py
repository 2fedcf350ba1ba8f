"""Whole models of recurrent layers and their wrappers (tests/parity_cases.py says what a case is)."""

import numpy as np
from model_data import BOTH, built, features, padded, series, tokens


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
            L.SimpleRNN(5, return_sequences=True),
            L.Dense(3, activation="softmax"),
        ]
    )
    x[4] = 1  # a batch's mean is over its unmasked steps; rows without any are fine, batches are not
    options = {"optimizer": ("SGD", 0.2), "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    return built(model, x), (x, x % 3), options, {"batch_size": 8}


def masking_layer(keras):
    L, x = keras.layers, series(19, 6, 3, "pre")
    y = (x.sum(axis=(1, 2)) > 0).astype("f")
    model = keras.Sequential([L.Masking(0.0), L.SimpleRNN(4, return_sequences=True), L.SimpleRNN(3), L.Dense(1)])
    return built(model, x), (x, y), {"optimizer": ("SGD", 0.05), "loss": "mae", "metrics": ["mse"]}, {"batch_size": 4}


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


def stacked_adam(keras):
    """All three layers, one on another, over masked steps; no ids that repeat, so Adam agrees with both."""
    L, x = keras.layers, series(19, 7, 3, "middle")
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
    L, x = keras.layers, series(19, 5, 3, "pre")
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
    L, x = keras.layers, series(19, 6, 3, "post")
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
    L, x = keras.layers, series(24, 5, 3, "middle")
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
    L, x = keras.layers, series(19, 6, 3, "middle")
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
    L, x = keras.layers, series(19, 7, 3, "middle")
    layers = [
        L.Masking(0.0),
        L.RNN([L.LSTMCell(4), L.GRUCell(3, reset_after=False), L.SimpleRNNCell(4)], return_sequences=True),
        L.Bidirectional(L.RNN(L.GRUCell(3), return_sequences=True)),
        L.RNN(L.LSTMCell(3, use_bias=False), go_backwards=True),
        L.Dense(1),
    ]
    options = {"optimizer": ("Adam", 0.02), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 6}


def all_masked(keras):
    """The second batch of fit holds padding alone: every layer keeps its states as they began, and gets no gradient."""
    L, x = keras.layers, padded(8, 3, 9, "middle")
    x[4:] = 0
    start = keras.Input((3,))
    words = L.Embedding(9, 3, mask_zero=True)(start)
    steps = L.SimpleRNN(3, return_sequences=True)(words)
    steps = L.LSTM(3, return_sequences=True)(steps)
    steps = L.GRU(3, return_sequences=True, go_backwards=True)(steps)
    steps = L.Bidirectional(L.GRU(2, return_sequences=True))(steps)
    steps = L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_sequences=True)(steps)
    lasts = [
        L.SimpleRNN(2)(steps),
        L.LSTM(2)(words),
        L.GRU(2)(steps),
        L.Bidirectional(L.LSTM(2))(words),
        L.RNN([L.SimpleRNNCell(3), L.GRUCell(2)])(steps),
        L.RNN(L.LSTMCell(2))(steps),
    ]
    model = keras.Model(start, L.Dense(1)(L.Concatenate()(lasts)))
    y = features(8, 1)
    return model, (x, y), {"optimizer": ("SGD", 0.1), "loss": "mse", "metrics": ["mae"]}, {"batch_size": 4}


def one_step_one_row(keras):
    """Sequences of one step, in batches of one row."""
    L, x = keras.layers, series(6, 1, 3, "pre")
    layers = [
        L.Masking(0.0),
        L.SimpleRNN(4, return_sequences=True),
        L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="sum"),
        L.GRU(4, return_sequences=True, go_backwards=True),
        L.RNN([L.LSTMCell(3), L.GRUCell(3)]),
        L.Dense(1),
    ]
    options = {"optimizer": ("SGD", 0.1), "loss": "mse", "metrics": ["mae"]}
    return built(keras.Sequential(layers), x), (x, x.sum(axis=(1, 2))), options, {"batch_size": 1}


CASES = {
    rnn_rmsprop: ("tf_keras",),
    rnn_adam: ("tf_keras",),
    rnn_sgd: BOTH,
    masked_rnn_rmsprop: ("tf_keras",),
    masked_rnn_adam: ("tf_keras",),
    masked_rnn_sgd: BOTH,
    masked_tagger: ("keras",),
    masking_layer: BOTH,
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
    all_masked: BOTH,
    one_step_one_row: BOTH,
}
