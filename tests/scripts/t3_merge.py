"""Two branches that Merge joins, as Keras 1 had it: Sequential models in a Sequential model."""

import json

import numpy as np
from keras.layers import Dense, Merge
from keras.models import Sequential

rng = np.random.default_rng(24)
left_data, right_data = rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
targets = (left_data[:, 0] > right_data[:, 0]).astype("float32")

left = Sequential()
left.add(Dense(5, input_dim=4, activation="tanh"))
right = Sequential()
right.add(Dense(6, input_dim=3, activation="tanh"))
model = Sequential()
model.add(Merge([left, right], mode="concat"))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit([left_data, right_data], targets, nb_epoch=3, batch_size=8, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "predictions": model.predict([left_data[:3], right_data[:3]], verbose=0).tolist(),
        }
    )
)
