"""Recommendations: users and films as vectors, their dot product and biases as the rating."""

import json

import numpy as np
from keras.layers import Add, Dense, Dot, Embedding, Flatten, Input, Multiply
from keras.models import Model

rng = np.random.default_rng(21)
users, films = rng.integers(0, 12, size=64), rng.integers(0, 9, size=64)
ratings = ((users * films) % 5 + 1).astype("float32")

user, film = Input(shape=(1,)), Input(shape=(1,))
user_vector = Flatten()(Embedding(12, 4)(user))
film_vector = Flatten()(Embedding(9, 4)(film))
bias = Add()([Flatten()(Embedding(12, 1)(user)), Flatten()(Embedding(9, 1)(film))])
rating = Add()([Dot(axes=1)([user_vector, film_vector]), bias])
deep = Dense(1)(Dense(6, activation="tanh")(Multiply()([user_vector, film_vector])))
model = Model([user, film], Add()([rating, deep]))
model.compile(optimizer="sgd", loss="mean_squared_error", metrics=["mean_absolute_error"])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit([users, films], ratings, batch_size=16, epochs=4, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "mae": history.history["mean_absolute_error"],
            "predictions": model.predict([users[:4], films[:4]], verbose=0).tolist(),
            "shapes": [list(w.shape) for w in model.get_weights()],
        }
    )
)
