"""Models that define their own train_step, test_step, predict_step, compute_loss or compute_metrics."""

import call_cases
import numpy as np
import pytest
import step_cases
from checks import assert_close
from step_cases import FITTED, LABELS, WEIGHTS, X, Y, dense, with_weights

import fastkeras
from fastkeras import layers, ops


class Plain(fastkeras.Model):
    """What fit does by itself, written out."""

    def train_step(self, data):
        x, y, sample_weight = fastkeras.utils.unpack_x_y_sample_weight(data)
        with fastkeras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, sample_weight, regularization_losses=self.losses)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return {m.name: m.result() for m in self.metrics}


def stack(kind):
    start = fastkeras.Input((5,))
    x = layers.Dense(4, activation="tanh", kernel_regularizer="l2", activity_regularizer="l2")(start)
    return with_weights(kind(start, layers.Dense(3, activation="softmax")(layers.BatchNormalization()(x))))


def compiled(kind, **options):
    model = stack(kind)
    given = {"loss": "sparse_categorical_crossentropy", "metrics": ["acc"], **options}
    model.compile(fastkeras.optimizers.Adam(0.05), **given)
    return model


@pytest.mark.parametrize("data", ["arrays", "weights", "classes", "generator", "sequence"])
def test_a_step_written_out_trains_as_the_built_in_one(data):
    class Batches(fastkeras.utils.Sequence):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return X[i * 8 : i * 8 + 8], LABELS[i * 8 : i * 8 + 8]

    found = []
    for kind in (fastkeras.Model, Plain):
        model = compiled(kind)
        options = {"epochs": 3, "verbose": 0, "shuffle": False}
        if data == "generator":
            batches = (Batches()[i % 3] for i in range(9))
            history = model.fit(batches, steps_per_epoch=3, **options)
        elif data == "sequence":
            history = model.fit(Batches(), validation_data=Batches(), **options)
        else:
            options["sample_weight"] = WEIGHTS if data == "weights" else None
            options["class_weight"] = {0: 2.0, 1: 0.5} if data == "classes" else None
            history = model.fit(X, LABELS, batch_size=8, validation_data=(X[:4], LABELS[:4]), **options)
        found.append((history.history, model.get_weights()))
    (expected, weights), (got, own) = found
    assert expected.keys() == got.keys()
    for key, values in expected.items():
        assert_close(got[key], values, 1e-4)
    for one, other in zip(own, weights, strict=True):
        assert_close(one, other, 1e-3)


def test_shuffled_batches_are_copies_that_a_step_may_keep():
    kept = []

    class Keeps(fastkeras.Model):
        def train_step(self, data):
            kept.append(data)
            return {"n": len(kept)}

    model = stack(Keeps)
    model.compile()
    history = model.fit({"a": X, "b": [Y, X]}, batch_size=5, verbose=0, shuffle=True)
    assert history.history == {"n": [5]}
    assert [len(batch["a"]) for batch in kept] == [5, 5, 5, 5, 2]
    rows = np.concatenate([batch["a"] for batch in kept])
    assert_close(np.concatenate([batch["b"][1] for batch in kept]), rows, 0)
    assert_close(np.sort(rows, axis=0), np.sort(X, axis=0), 0)
    assert isinstance(kept[0]["a"], np.ndarray) and kept[0]["a"].numpy().dtype == np.float32


def test_metrics_are_reset_at_each_epoch_and_callbacks_see_them():
    seen = []

    class Counts(fastkeras.Model):
        def __init__(self, *args):
            super().__init__(*args)
            self.counter = fastkeras.metrics.Sum(name="rows")

        def train_step(self, data):
            self.counter.update_state(len(data[0]))
            return {"rows": self.counter.result()}

    model = Counts(*dense(fastkeras, [5, 1]))
    model.compile()
    stop = fastkeras.callbacks.EarlyStopping(monitor="rows", patience=1, mode="max")
    seeing = fastkeras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    history = model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[stop, seeing])
    assert history.history == {"rows": [22.0, 22.0]}
    assert seen == 2 * [{"rows": 8.0}, {"rows": 16.0}, {"rows": 22.0}]
    assert model.metrics[1:] == [model.counter]


def test_steps_on_one_batch():
    ours, built_in = compiled(Plain), compiled(fastkeras.Model)
    for kind in range(2):
        one, other = (m.train_on_batch(X, LABELS, reset_metrics=kind == 0) for m in (ours, built_in))
        assert_close(one, other, 1e-4)
    assert_close(ours.test_on_batch(X, LABELS), built_in.test_on_batch(X, LABELS), 1e-3)
    assert_close(ours.train_on_batch(X, LABELS, class_weight={1: 3.0}, return_dict=True)["loss"],
                 built_in.train_on_batch(X, LABELS, class_weight={1: 3.0}, return_dict=True)["loss"], 1e-3)  # fmt: skip
    assert_close(ours.predict_on_batch(X), built_in.predict_on_batch(X), 1e-3)


def test_several_outputs_by_name():
    found = []
    for kind in (fastkeras.Model, Plain):
        start = fastkeras.Input((5,))
        outputs = {"b": layers.Dense(1)(start), "a": layers.Dense(3, activation="softmax")(start)}
        model = with_weights(kind(start, outputs))
        losses = {"a": "sparse_categorical_crossentropy", "b": "mse"}
        model.compile("sgd", losses, loss_weights={"a": 2.0}, metrics={"a": "acc", "b": ["mae"]})
        found.append((model.fit(X, {"a": LABELS, "b": Y}, **FITTED).history, model.get_weights()))
    for key in ("loss", "a_acc", "b_mae"):
        assert_close(found[1][0][key], found[0][0][key], 1e-5)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert_close(one, other, 1e-4)


def test_what_a_call_adds_to_the_loss_is_summed_without_a_loss_of_the_models():
    class Adds(fastkeras.Model):
        def call(self, x):
            self.add_loss([ops.square(x), ops.absolute(x)])
            return x

    model, x = Adds(), np.float32([[1.0, -2.0], [3.0, 0.5]])
    model.compile("sgd")
    loss = model.compute_loss(y_pred=model(x))
    assert loss.shape == () and loss == np.sum(x**2) + np.sum(np.abs(x))


def test_predict_step_gives_what_it_likes():
    class Own(fastkeras.Model):
        def predict_step(self, data):
            y = self(fastkeras.utils.unpack_x_y_sample_weight(data)[0])
            return {"twice": 2 * y, "both": [y, ops.sum(y, axis=-1)]}

    model = stack(Own)
    y = stack(fastkeras.Model).predict(X)
    for got in (model.predict(X, batch_size=5), model.predict(iter([(X[:9],), (X[9:],)])), model.predict_on_batch(X)):
        assert_close(got["twice"], 2 * y, 1e-6)
        assert_close(got["both"][1], y.sum(-1), 1e-6)


def test_what_cannot_be_done_is_said():
    model = stack(type("Mine", (fastkeras.Model,), {"train_step": lambda self, data: None}))
    with pytest.raises(ValueError, match="must be compiled"):
        model.fit(X, Y, verbose=0)
    model.compile()
    with pytest.raises(TypeError, match=r"train_step must return a dict .* Received: None"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match=r"the same length. Received: \[22, 21\]"):
        model.fit(X, Y[1:], verbose=0)
    with pytest.raises(ValueError, match="`class_weight` goes by the targets"):
        model.fit(X, class_weight={0: 1.0}, verbose=0)
    lacking = type("Mine", (fastkeras.Model,), {"compute_metrics": lambda *a, **k: {}})(*dense(fastkeras, [5, 1]))
    lacking.compile()
    with pytest.raises(ValueError, match="without a loss"):
        lacking.fit(X, Y, verbose=0)
    lacking.compile(loss="mse")
    with pytest.raises(ValueError, match="`y`, the targets, is missing"):
        lacking.fit(X, verbose=0)


def test_a_split_for_a_step_in_one_of_both_modes_leaves_samples_to_each():
    model = compiled(Plain)
    with pytest.raises(ValueError, match=r"leave samples to train and to validate on\. Received: 0\.99 of 22 samples"):
        model.fit(X, LABELS, validation_split=0.99, verbose=0)
    with pytest.raises(ValueError, match="`validation_split` needs `x` and `y` as arrays"):
        model.fit(iter([(X, LABELS)]), validation_split=0.3, verbose=0)
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize("case", [*step_cases.CASES.values(), *call_cases.CASES.values()])
def test_what_scripts_write_runs(case):
    """Whether it agrees with Keras, test_keras_own_steps.py says."""
    for key, value in case(fastkeras, fastkeras.GradientTape).items():
        for part in value if key in ("weights", "gradients") else [value]:
            assert np.isfinite(part).all(), key


@fastkeras.saving.register_keras_serializable("steps")
class Stepping(fastkeras.Model):
    """A call and a step of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with fastkeras.GradientTape() as tape:
            loss = fastkeras.ops.mean(fastkeras.ops.square(self(x, training=True) - y))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}


def test_a_model_with_a_call_and_a_step_is_saved_with_its_optimizer(tmp_path):
    x = np.random.default_rng(6).normal(size=(7, 3)).astype(np.float32)
    model = Stepping()
    model.compile(optimizer="adam")
    model.fit(x, x[:, :1], batch_size=4, verbose=0)  # rows that do not lie side by side
    model.save(tmp_path / "model.keras")
    again = fastkeras.saving.load_model(tmp_path / "model.keras")
    for one in (model, again):
        one.fit(x, x[:, :1], batch_size=7, epochs=2, shuffle=False, verbose=0)
        assert one.optimizer.iterations == 4
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
