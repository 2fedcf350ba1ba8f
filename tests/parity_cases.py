"""Whole models, written once for fastkeras, Keras 3 and tf_keras, and what they must agree on.

Each case is a function of the keras module that returns (model, data, options of compile, options of fit). CASES gives
for each case with which of the two it is compared.
"""

import numpy as np
import parity_cases_convolution
import parity_cases_dense
import parity_cases_merging
import parity_cases_recurrent
from model_data import random_weights

CASES = {
    **parity_cases_dense.CASES,
    **parity_cases_recurrent.CASES,
    **parity_cases_convolution.CASES,
    **parity_cases_merging.CASES,
}
EPOCHS = 3


def run(keras, case):
    """Predictions before and after training, the history, and an evaluation: plain lists, as JSON holds them."""
    return trained(keras, case)[0]


def trained(keras, case):
    """(what `run` returns, the model after it)

    The sizes of batches differ, but for a stateful model, which takes one.
    """
    model, (x, y), compile_options, fit_options = case(keras)
    random_weights(model, 3)
    sizes = [fit_options["batch_size"]] * 3 if case is parity_cases_recurrent.stateful_lstm else [32, 7, 5]
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
