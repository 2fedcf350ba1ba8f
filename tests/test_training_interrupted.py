"""Nothing is lost when training fails or is interrupted."""

import copy
import signal
import threading

import numpy as np
import pytest
from running import run_python
from small_models import assert_same, classifier, line, points, sentences, set_waves, state, tagger

import fastkeras as keras
from fastkeras.callbacks import LambdaCallback
from fastkeras.layers import Dense

X, Y = points(23)
IDS, TAGS = sentences()


@pytest.mark.parametrize("where", ["loss", "backward", "regularizer"])
def test_a_failed_step_leaves_no_trace(monkeypatch, where):
    def build():
        model = set_waves(keras.Sequential([Dense(5, input_dim=4, kernel_regularizer="l2"), Dense(1)]))
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
        return model

    model, expected = build(), build()
    before = state(model)
    with monkeypatch.context() as patch:

        def fail(*args, **kwargs):
            raise ArithmeticError("told to fail")

        first, regularized = model.layers[0], model.compiled.regularized[0]
        if where == "loss":
            patch.setattr(model.compiled.heads[0].loss, "compute", fail)
        elif where == "backward":  # the last layer has added to its gradients when the first one fails
            forward = first.forward
            patch.setattr(first, "forward", lambda x, run: (forward(x, run)[0], fail))
        else:
            patch.setattr(regularized.regularizer, "value_and_gradient", fail)
        with pytest.raises(ArithmeticError, match="told to fail"):
            model.fit(X, Y, verbose=0)
        with pytest.raises(ArithmeticError, match="told to fail"):
            model.train_on_batch(X, Y)
    assert_same(state(model), before)
    assert all(not v.grad.any() for v in model.variables)
    for m in (model, expected):
        m.fit(X, Y, epochs=2, batch_size=7, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


@pytest.mark.parametrize("frozen", [False, True])
def test_one_optimizer_trains_several_models(frozen):
    """As in Keras 2: what it keeps belongs to each weight, and the steps of all are counted together. The count has no
    effect on SGD, so that with optimizers of their own the models do the same."""

    def pair(*optimizers):
        keras.utils.set_random_seed(4)
        inner = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
        inner.compile(optimizers[0], "mse")
        inner.trainable = not frozen
        outer = keras.Sequential([keras.layers.Dense(1, input_shape=(1,)), inner])
        outer.compile(optimizers[1], "mse")
        return inner, outer

    def sgd():
        return keras.optimizers.SGD(0.01, momentum=0.5)

    shared, x, y = sgd(), np.float32([[1], [2]]), np.float32([[5], [7]])
    one, two = pair(shared, shared), pair(sgd(), sgd())
    for _ in range(3):
        for models in (one, two):
            for model in models:
                model.train_on_batch(x, y)
    same = [np.array_equal(a, b) for a, b in zip(one[1].get_weights(), two[1].get_weights(), strict=True)]
    assert all(same) if frozen else not all(same), "a weight that both train has one momentum"
    assert shared.iterations == 6


def test_an_optimizer_keeps_what_belongs_to_a_model_while_it_trains_another(tmp_path):
    optimizer = keras.optimizers.Adam(0.1)
    one, two = line(optimizer), line(optimizer)
    one.fit([1.0, 2.0], [5.0, 7.0], epochs=2, verbose=0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    one.evaluate([1.0], [2.0], verbose=0)
    two.fit([1.0, 2.0], [5.0, 7.0], epochs=3, verbose=0)
    assert optimizer.iterations == 5
    one.save(tmp_path / "one.h5")
    one.save(tmp_path / "one.keras")
    copies = [keras.saving.load_model(tmp_path / name) for name in ("one.h5", "one.keras")] + [copy.deepcopy(one)]
    for copied in copies:
        assert_same(state(copied), state(one))
        assert any(array.any() for array in copied.optimizer.state()[2:])
    two.save_weights(tmp_path / "two.weights.h5")
    expected = state(two)
    one.fit([1.0, 2.0], [5.0, 7.0], verbose=0)
    two.load_weights(tmp_path / "two.weights.h5")
    assert_same(state(two), expected)


def test_no_epoch_changes_nothing():
    model = line(keras.optimizers.Adam(use_ema=True))
    before = model.get_weights()
    model.fit([1.0], [2.0], epochs=0, verbose=0)
    assert_same(model.get_weights(), before)
    model.fit([1.0], [2.0], epochs=2, verbose=0)
    model.set_weights(before)
    model.fit([1.0], [2.0], epochs=2, initial_epoch=2, verbose=0)
    assert_same(model.get_weights(), before)


def test_a_bad_batch_in_the_middle_of_an_epoch_keeps_what_was_learnt():
    def pairs(last):
        for start in (0, 5, 10):
            yield X[start : start + 5], Y[start : start + 5]
        yield last

    model, expected = classifier(), classifier()
    expected.fit(pairs((X[:1], Y[:1])), steps_per_epoch=3, verbose=0)
    with pytest.raises(ValueError, match=r"Batch 3: `x` and `y` must have the same length. Received: 4 in x, 5 in y"):
        model.fit(pairs((X[:4], Y[:5])), verbose=0)
    assert_same(state(model), state(expected))
    assert model.history.history == {}
    for m in (model, expected):
        m.fit(X, Y, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


def test_ids_outside_the_vocabulary_leave_the_model_usable():
    model, expected = tagger(mask_zero=True), tagger(mask_zero=True)
    wrong = IDS.copy()
    wrong[3, 1] = 7
    for call in (model.fit, model.train_on_batch, model.test_on_batch, lambda x, y: model.predict(x)):
        with pytest.raises(ValueError, match=r"Received: 7 in row 3, place \(1,\)"):
            call(wrong, TAGS)
    for m in (model, expected):
        m.fit(IDS, TAGS, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


@pytest.mark.parametrize(
    "hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_test_batch_begin", "on_epoch_end"]
)
def test_an_error_in_a_callback_leaves_the_model_usable(hook):
    def fail(*args):
        if len(args) == 1 or args[0] == 1:  # the second epoch or batch, or the only call
            raise ArithmeticError("told to fail")

    ended = []
    callbacks = [LambdaCallback(**{hook: fail}), LambdaCallback(on_train_end=lambda logs: ended.append(logs))]
    model = classifier()
    with pytest.raises(ArithmeticError, match="told to fail"):
        model.fit(X, Y, 5, epochs=3, verbose=0, callbacks=callbacks, validation_data=(X, Y), shuffle=False)
    finished = {"on_epoch_begin": [0], "on_epoch_end": [0]}.get(hook, [])
    assert model.history.epoch == finished
    assert len(ended) == (hook != "on_train_begin")
    expected = classifier()
    if model.optimizer.iterations:
        expected.fit(
            X,
            Y,
            5,
            epochs=2,
            steps_per_epoch=int(model.optimizer.iterations),
            initial_epoch=1,
            verbose=0,
            shuffle=False,
        )
    for m in (model, expected):
        m.fit(X, Y, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


INTERRUPTED = """
    import os, signal, sys, threading, time
    import numpy as np
    sys.path[:0] = {path!r}
    from small_models import classifier, points
    import fastkeras as keras

    X, Y = points(23)
    model, in_update = classifier(), []
    step = model.optimizer.step

    def interrupted_step():
        if model.optimizer.iterations == 12:
            os.kill(os.getpid(), signal.SIGINT)         # the signal is there; Python's handler runs at the next chance
            time.sleep(0.01)
        step()
        in_update.append(model.optimizer.iterations)

    model.optimizer.step = interrupted_step
    handler = signal.getsignal(signal.SIGINT)
    try:
        model.fit(X, Y, batch_size=5, epochs=100, shuffle=False, verbose=0)
    except KeyboardInterrupt:
        print("interrupted")
    assert in_update[-1] == 13, in_update               # the step was finished, and it was the last
    assert signal.getsignal(signal.SIGINT) is handler
    assert model.history.epoch == [0, 1] and len(model.history.history["loss"]) == 2
    model.optimizer.step = step
    expected = classifier()
    expected.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0, steps_per_epoch=5, callbacks=[
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(
            expected, "stop_training", expected.optimizer.iterations == 13))])
    for m in (model, expected):
        m.fit(X, Y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights() + model.optimizer.state(), expected.get_weights() + expected.optimizer.state()):
        np.testing.assert_array_equal(a, b)

    # Outside a step it takes effect at once: here in a generator that would wait for ever.
    def waits():
        yield X, Y
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(60)

    start = time.perf_counter()
    try:
        model.fit(waits(), steps_per_epoch=2, verbose=0)
    except KeyboardInterrupt:
        print("at once", time.perf_counter() - start < 30)
"""


def test_ctrl_c_takes_effect_between_two_steps():
    assert run_python(INTERRUPTED).splitlines() == ["interrupted", "at once True"]


def test_a_handler_of_the_users_own_is_called_after_the_step_and_comes_back():
    received = []
    old = signal.signal(signal.SIGINT, lambda number, frame: received.append(model.optimizer.iterations))
    own = signal.getsignal(signal.SIGINT)
    model = classifier()
    step = model.optimizer.step

    def interrupted_step():
        signal.raise_signal(signal.SIGINT)
        step()

    model.optimizer.step = interrupted_step
    try:
        model.fit(X, Y, batch_size=12, verbose=0)
        assert received == [1, 2]
        assert signal.getsignal(signal.SIGINT) is own
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        model.fit(X, Y, verbose=0)
        assert received == [1, 2]
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, old)


def test_a_handler_that_a_callback_sets_stays_and_what_it_found_still_works():
    received, found = [], []

    def own(number, frame):
        received.append("own")

    old = signal.signal(signal.SIGINT, lambda number, frame: received.append("before"))
    install = LambdaCallback(on_train_begin=lambda logs: found.append(signal.signal(signal.SIGINT, own)))
    try:
        classifier().fit(X, Y, verbose=0, callbacks=[install])
        assert signal.getsignal(signal.SIGINT) is own
        signal.raise_signal(signal.SIGINT)
        signal.signal(signal.SIGINT, found[0])
        signal.raise_signal(signal.SIGINT)
        assert received == ["own", "before"]
    finally:
        signal.signal(signal.SIGINT, old)


def test_a_signal_during_a_step_that_fails_is_not_forgotten(monkeypatch):
    model = classifier()

    def fail(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)
        raise ArithmeticError("told to fail")

    monkeypatch.setattr(model.compiled.heads[0].loss, "compute", fail)
    with pytest.raises(KeyboardInterrupt) as caught:
        model.fit(X, Y, verbose=0)
    assert isinstance(caught.value.__context__, ArithmeticError)


def test_training_in_another_thread_leaves_signals_alone():
    handler, seen = signal.getsignal(signal.SIGINT), []
    watch = LambdaCallback(on_train_begin=lambda logs: seen.append(signal.getsignal(signal.SIGINT)))
    thread = threading.Thread(target=classifier().fit, args=(X, Y), kwargs={"verbose": 0, "callbacks": [watch]})
    thread.start()
    thread.join()
    assert seen == [handler]
