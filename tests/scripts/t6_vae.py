"""A variational autoencoder: sampling in a layer of one's own, and the loss by add_loss and by train_step."""

import json

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(34)
latent_dim = 2
images = rng.random((32, 12)).astype("float32")
noise = tf.constant(rng.normal(size=(8, latent_dim)).astype("float32"))


class Sampling(layers.Layer):
    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = noise[: tf.shape(z_mean)[0]]  # in place of tf.random.normal
        return z_mean + tf.exp(0.5 * z_log_var) * epsilon


class KLDivergence(layers.Layer):
    """Adds the distance of the code from a normal distribution to the loss, and gives the code on."""

    def call(self, inputs):
        z_mean, z_log_var = inputs
        kl = -0.5 * (1 + z_log_var - tf.square(z_mean) - tf.exp(z_log_var))
        self.add_loss(tf.reduce_mean(tf.reduce_sum(kl, axis=1)))
        return z_mean


encoder_inputs = keras.Input(shape=(12,))
x = layers.Dense(8, activation="relu")(encoder_inputs)
z_mean = layers.Dense(latent_dim, name="z_mean")(x)
z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)
z = Sampling()([z_mean, z_log_var])
encoder = keras.Model(encoder_inputs, [z_mean, z_log_var, z], name="encoder")
decoder = keras.Sequential(
    [keras.Input((latent_dim,)), layers.Dense(8, activation="relu"), layers.Dense(12, activation="sigmoid")]
)


def start():
    weights = np.random.default_rng(35)
    for part in (encoder, decoder):
        part.set_weights([weights.uniform(-0.5, 0.5, w.shape) for w in part.get_weights()])


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.total_loss_tracker = keras.metrics.Mean(name="total_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.total_loss_tracker, self.kl_loss_tracker]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            z_mean, z_log_var, z = self.encoder(data)
            reconstruction = self.decoder(z)
            reconstruction_loss = tf.reduce_mean(keras.losses.binary_crossentropy(data, reconstruction))
            kl_loss = -0.5 * (1 + z_log_var - tf.square(z_mean) - tf.exp(z_log_var))
            kl_loss = tf.reduce_mean(tf.reduce_sum(kl_loss, axis=1))
            total_loss = 12 * reconstruction_loss + kl_loss
        grads = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        self.total_loss_tracker.update_state(total_loss)
        self.kl_loss_tracker.update_state(kl_loss)
        return {m.name: m.result() for m in self.metrics}


start()
vae = VAE(encoder, decoder)
vae.compile(optimizer=keras.optimizers.RMSprop())
own_step = vae.fit(images, epochs=2, batch_size=8, shuffle=False, verbose=0)
decoded = decoder.predict(np.array([[0.0, 1.0]]), verbose=0)

# The same model as a graph, with the divergence added on the way.
start()
mean = KLDivergence()([z_mean, z_log_var])
graph = keras.Model(encoder_inputs, decoder(Sampling()([mean, z_log_var])))
graph.compile(optimizer="rmsprop", loss=lambda y_true, y_pred: 12 * keras.losses.binary_crossentropy(y_true, y_pred))
added = graph.fit(images, images, epochs=2, batch_size=8, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "total_loss": own_step.history["total_loss"],
            "kl_loss": own_step.history["kl_loss"],
            "decoded": decoded.tolist(),
            "loss": added.history["loss"],
        }
    )
)
