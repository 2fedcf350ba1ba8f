"""Models that define their own steps, as scripts do: each case is written once, for fastkeras and for Keras.

case(keras, tape) -> what it reports, {name: numbers}. tape: the class GradientTape.
"""

import numpy as np

RNG = np.random.default_rng(17)
X = RNG.normal(size=(22, 5)).astype(np.float32)
Y = RNG.normal(size=(22, 1)).astype(np.float32)
LABELS = RNG.integers(0, 3, (22,))
WEIGHTS = RNG.uniform(0.2, 2, size=22).astype(np.float32)
NOISE = RNG.normal(size=(22, 3)).astype(np.float32)
FITTED = {"batch_size": 8, "epochs": 2, "verbose": 0, "shuffle": False}


def with_weights(model, seed=1):
    """The model, with weights that do not depend on the library."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype(np.float32) * 0.4 for w in model.get_weights()])
    return model


def dense(keras, sizes, last=None, name=None):
    """A functional stack of Dense layers, tanh between them."""
    start = x = keras.Input((sizes[0],))
    for size in sizes[1:-1]:
        x = keras.layers.Dense(size, activation="tanh")(x)
    return start, keras.layers.Dense(sizes[-1], activation=last)(x)


def guide(keras, tape):
    """The guide's first: compute_loss and all metrics of compile, the validation by the built-in step."""

    class Mine(keras.Model):
        def train_step(self, data):
            x, y = data
            with tape() as recorder:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            trainable_vars = self.trainable_variables
            gradients = recorder.gradient(loss, trainable_vars)
            self.optimizer.apply(gradients, trainable_vars)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    model = with_weights(Mine(*dense(keras, [5, 4, 1])))
    model.compile(keras.optimizers.Adam(0.05), loss="mse", metrics=["mae"])
    history = model.fit(X, Y, validation_split=0.3, **FITTED).history
    return {**history, "evaluated": model.evaluate(X, Y, verbose=0), "weights": model.get_weights()}


def trackers(keras, tape):
    """Its second: metrics as attributes, a `metrics` property, sample weights, and a step of its own for validation."""

    class Mine(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = keras.metrics.Mean(name="loss")
            self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = keras.losses.MeanSquaredError()

        def train_step(self, data):
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            with tape() as recorder:
                y_pred = self(x, training=True)
                loss = self.loss_fn(y, y_pred, sample_weight=sample_weight)
            gradients = recorder.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            self.loss_tracker.update_state(loss)
            self.mae_metric.update_state(y, y_pred, sample_weight=sample_weight)
            return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

        def test_step(self, data):
            x, y = data
            self.mae_metric.update_state(y, self(x, training=False))
            return {"mae": self.mae_metric.result()}

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae_metric]

    model = with_weights(Mine(*dense(keras, [5, 4, 1])))
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    history = model.fit(X, Y, sample_weight=WEIGHTS, validation_data=(X[:6], Y[:6]), **FITTED).history
    return {**history, "evaluated": model.evaluate(X, Y, verbose=0), "weights": model.get_weights()}


def losses(keras, tape):
    """compute_loss and compute_metrics alone, in a Sequential model with a penalty and class weights."""

    class Mine(keras.Sequential):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.largest = keras.metrics.Mean(name="largest")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight)
            return loss + 0.1 * keras.ops.mean(keras.ops.square(y_pred))

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            values = super().compute_metrics(x, y, y_pred, sample_weight)
            self.largest.update_state(keras.ops.max(y_pred, axis=-1))
            values["largest"] = self.largest.result()
            return values

    model = Mine([
        keras.Input((5,)),
        keras.layers.Dense(4, activation="tanh", kernel_regularizer="l2"),
        keras.layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    with_weights(model)
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, LABELS, class_weight={0: 1.0, 1: 3.0, 2: 0.5}, **FITTED).history
    evaluated = model.evaluate(X, LABELS, verbose=0, return_dict=True)
    return {**history, **{f"evaluated {k}": v for k, v in evaluated.items()}, "weights": model.get_weights()}


def gan(keras, tape):
    """Two models in one, two optimizers, no call, batches of x alone."""

    class Gan(keras.Model):
        def __init__(self, discriminator, generator):
            super().__init__()
            self.discriminator, self.generator = discriminator, generator

        def compile(self, d_optimizer, g_optimizer, loss_fn):
            super().compile()
            self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
            self.d_loss_metric = keras.metrics.Mean(name="d_loss")
            self.g_loss_metric = keras.metrics.Mean(name="g_loss")

        @property
        def metrics(self):
            return [self.d_loss_metric, self.g_loss_metric]

        def train_step(self, real):
            if isinstance(real, tuple):
                real = real[0]
            n = keras.ops.shape(real)[0]
            noise = keras.ops.convert_to_tensor(NOISE[:n])
            both = keras.ops.concatenate([self.generator(noise), real], axis=0)
            labels = keras.ops.concatenate([keras.ops.ones((n, 1)), keras.ops.zeros((n, 1))], axis=0)
            with tape() as recorder:
                d_loss = self.loss_fn(labels, self.discriminator(both))
            grads = recorder.gradient(d_loss, self.discriminator.trainable_weights)
            self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))
            with tape() as recorder:
                g_loss = self.loss_fn(keras.ops.zeros((n, 1)), self.discriminator(self.generator(noise)))
            grads = recorder.gradient(g_loss, self.generator.trainable_weights)
            self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))
            self.d_loss_metric.update_state(d_loss)
            self.g_loss_metric.update_state(g_loss)
            return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}

    discriminator = with_weights(keras.Model(*dense(keras, [5, 4, 1])))
    generator = with_weights(keras.Model(*dense(keras, [3, 4, 5])), 2)
    model = Gan(discriminator, generator)
    model.compile(
        d_optimizer=keras.optimizers.Adam(0.02),
        g_optimizer=keras.optimizers.Adam(0.01),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    history = model.fit(X, **FITTED).history
    return {**history, "weights": discriminator.get_weights() + generator.get_weights()}


def vae(keras, tape):
    """Sampling as a layer in ops, three losses, a step that has the data as a tuple or alone."""
    ops = keras.ops

    class Sampling(keras.layers.Layer):
        def call(self, inputs):
            mean, log_var = inputs
            return mean + ops.exp(0.5 * log_var) * ops.convert_to_tensor(NOISE[: mean.shape[0] or 1])

    class Vae(keras.Model):
        def __init__(self, encoder, decoder, **kwargs):
            super().__init__(**kwargs)
            self.encoder, self.decoder = encoder, decoder
            self.trackers = {name: keras.metrics.Mean(name=name) for name in ("loss", "rebuilt", "kl")}

        @property
        def metrics(self):
            return list(self.trackers.values())

        def train_step(self, data):
            with tape() as recorder:
                mean, log_var, z = self.encoder(data)
                rebuilt = ops.mean(ops.sum(keras.losses.mean_squared_error(data, self.decoder(z)), axis=-1))
                kl = -0.5 * (1 + log_var - ops.square(mean) - ops.exp(log_var))
                kl = ops.mean(ops.sum(kl, axis=1))
                total = rebuilt + kl
            grads = recorder.gradient(total, self.trainable_weights)
            self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
            for name, value in (("loss", total), ("rebuilt", rebuilt), ("kl", kl)):
                self.trackers[name].update_state(value)
            return {name: metric.result() for name, metric in self.trackers.items()}

    start = keras.Input((5,))
    x = keras.layers.Dense(4, activation="relu")(start)
    mean, log_var = keras.layers.Dense(3, name="mean")(x), keras.layers.Dense(3, name="log_var")(x)
    encoder = with_weights(keras.Model(start, [mean, log_var, Sampling()([mean, log_var])]))
    decoder = with_weights(keras.Model(*dense(keras, [3, 4, 5], "sigmoid")), 2)
    model = Vae(encoder, decoder)
    model.compile(optimizer=keras.optimizers.Adam(0.05))
    history = model.fit(X, **FITTED).history
    return {**history, "weights": encoder.get_weights() + decoder.get_weights()}


def subclassed(keras, tape):
    """A model with call, its own train_step through compiled metrics, predict_step, and a dict of outputs."""

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(4, activation="tanh")
            self.last = keras.layers.Dense(1)

        def call(self, inputs, training=False):
            return self.last(self.first(inputs))

        def train_step(self, data):
            values = super().train_step(data)
            return {**values, "twice": 2 * values["loss"]}

        def predict_step(self, data):
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            y = self(x, training=False)
            return {"y": y, "sign": keras.ops.sign(y)}

    model = Mine()
    model(X)
    with_weights(model)
    model.compile(keras.optimizers.SGD(0.1), "mae", metrics=["mse"])
    batches = [(X[i : i + 8], Y[i : i + 8]) for i in (0, 8, 16)]
    history = model.fit(X, Y, validation_data=(X[:9], Y[:9]), **FITTED).history
    predicted = model.predict(X, batch_size=9, verbose=0)
    return {**history, **predicted, "on batch": model.train_on_batch(*batches[2]), "weights": model.get_weights()}


def of_sequences(keras, tape):
    """Losses and metrics of one's own are given outputs of several steps as they are: values per step or one for all,
    with a mask and with weights."""
    ops, crossentropy = keras.ops, keras.losses.sparse_categorical_crossentropy

    def masked(y_true, y_pred):
        kept = ops.cast(y_true != 0, "float32")
        return ops.sum(crossentropy(y_true, y_pred) * kept) / ops.sum(kept)

    def later_more(y_true, y_pred):
        return crossentropy(y_true, y_pred) * (1.0 + ops.arange(5, dtype="float32"))

    def first_step(y_true, y_pred):
        return crossentropy(y_true[:, 0], y_pred[:, 0])

    class Masked(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return masked(y_true, y_pred)

    words = (1 + LABELS[:, None] + np.arange(5)) % 4
    labels = np.roll(words, 1, axis=1) % 3
    found = {}
    for name, loss, mask_zero, weights in (
        ("masked", masked, False, None),
        ("masked twice", masked, True, None),
        ("of a class", Masked(), False, WEIGHTS),
        ("by step", later_more, False, None),
        ("by step, masked", later_more, True, WEIGHTS[:, None] + np.arange(5, dtype=np.float32)),
        ("of a step", first_step, False, WEIGHTS),
    ):
        layers = [keras.layers.Embedding(4, 3, mask_zero=mask_zero), keras.layers.Dense(3, activation="softmax")]
        model = with_weights(keras.Sequential([keras.Input((5,)), *layers]))
        model.compile("sgd", loss, metrics=[later_more] if mask_zero else [masked, first_step])
        history = model.fit(words, labels, sample_weight=weights, **FITTED).history
        found |= {f"{name}: {key}": values for key, values in history.items()}
        found[f"{name}: evaluated"] = model.evaluate(words, labels, verbose=0)
        found[f"{name}: weight"] = model.get_weights()[0]
    return found


CASES = {case.__name__: case for case in (guide, trackers, losses, gan, vae, subclassed, of_sequences)}
