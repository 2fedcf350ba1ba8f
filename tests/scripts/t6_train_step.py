"""fit with a train_step of one's own: a model that tracks its loss, and a GAN."""

import json

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(33)


class CustomModel(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = tf.reduce_mean(tf.square(y - y_pred))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.loss_tracker.update_state(loss)
        self.mae_metric.update_state(y, y_pred)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae_metric]


X = rng.normal(size=(32, 5)).astype("float32")
Y = (X @ rng.normal(size=(5, 1))).astype("float32")
inputs = keras.Input(shape=(5,))
model = CustomModel(inputs, layers.Dense(1)(layers.Dense(6, activation="tanh")(inputs)))
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
model.compile(optimizer="adam")
history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)


class GAN(keras.Model):
    def __init__(self, discriminator, generator, noise):
        super().__init__()
        self.discriminator, self.generator, self.noise = discriminator, generator, noise

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    def train_step(self, real):
        generated = self.generator(self.noise)
        combined = tf.concat([generated, real], axis=0)
        labels = tf.concat([tf.ones((8, 1)), tf.zeros((8, 1))], axis=0)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(combined))
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))
        with tf.GradientTape() as tape:
            g_loss = self.loss_fn(tf.zeros((8, 1)), self.discriminator(self.generator(self.noise)))
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}


discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(6, activation="tanh"), layers.Dense(1)])
generator = keras.Sequential([keras.Input((3,)), layers.Dense(6, activation="tanh"), layers.Dense(2)])
for part in (discriminator, generator):
    part.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in part.get_weights()])
gan = GAN(discriminator, generator, noise=rng.normal(size=(8, 3)).astype("float32"))
gan.compile(
    d_optimizer=keras.optimizers.Adam(0.01),
    g_optimizer=keras.optimizers.Adam(0.01),
    loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
)
points = rng.normal(1, 0.1, size=(16, 2)).astype("float32")
gan_history = gan.fit(points, batch_size=8, epochs=2, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "mae": history.history["mae"],
            "predictions": model.predict(X[:3], verbose=0).tolist(),
            "gan": sorted(gan_history.history),
            "generated": generator.predict(gan.noise, verbose=0).tolist(),
            "judged": discriminator.predict(points[:3], verbose=0).tolist(),
        }
    )
)
