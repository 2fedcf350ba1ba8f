"""A GAN on points of a circle: train_on_batch, and a discriminator that is frozen inside the whole."""

import json

import numpy as np
from tensorflow.keras import Input, Model, Sequential
from tensorflow.keras.layers import Dense, LeakyReLU
from tensorflow.keras.optimizers import Adam

rng = np.random.default_rng(13)


def start(model):
    model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])


generator = Sequential([Input(shape=(3,)), Dense(8), LeakyReLU(), Dense(2, activation="tanh")])
discriminator = Sequential([Input(shape=(2,)), Dense(8), LeakyReLU(), Dense(1, activation="sigmoid")])
start(generator)
start(discriminator)
discriminator.compile(loss="binary_crossentropy", optimizer=Adam(0.002, beta_1=0.5))
discriminator.trainable = False

ginput = Input(shape=(3,))
gan = Model(ginput, discriminator(generator(ginput)))
gan.compile(loss="binary_crossentropy", optimizer=Adam(0.002, beta_1=0.5))

batch_size, half = 8, 4
true, fake = np.ones((batch_size, 1)), np.zeros((batch_size, 1))
d_losses, g_losses = [], []
for _ in range(6):
    angle = rng.uniform(0, 2 * np.pi, size=batch_size)
    real = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    d_loss_real = discriminator.train_on_batch(real, true)

    noise = rng.normal(0, 1, (batch_size, 3))
    gen_points = generator.predict(noise, verbose=0)
    d_loss_fake = discriminator.train_on_batch(gen_points, fake)

    before = discriminator.get_weights()
    g_loss = gan.train_on_batch(noise, true)
    still = all((a == b).all() for a, b in zip(before, discriminator.get_weights(), strict=True))
    d_losses.append(0.5 * float(d_loss_real + d_loss_fake))
    g_losses.append(float(g_loss))

print(
    json.dumps(
        {
            "d_loss": d_losses[:1],
            "g_loss": g_losses[:1],
            "frozen": still,
            "points": generator.predict(noise, verbose=0).tolist(),
            "verdict": discriminator.predict(real, verbose=0).tolist(),
        }
    )
)
