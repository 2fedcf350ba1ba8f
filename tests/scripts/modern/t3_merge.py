"""Two branches that are joined, as the functional API has it."""

import json

import numpy as np
from keras.layers import Concatenate, Dense, Input
from keras.models import Model

rng = np.random.default_rng(24)
left_data, right_data = rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
targets = (left_data[:, 0] > right_data[:, 0]).astype("float32")

left, right = Input((4,)), Input((3,))
joined = Concatenate()([Dense(5, activation="tanh")(left), Dense(6, activation="tanh")(right)])
model = Model([left, right], Dense(1, activation="sigmoid")(joined))
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit([left_data, right_data], targets, epochs=3, batch_size=8, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "predictions": model.predict([left_data[:3], right_data[:3]], verbose=0).tolist(),
        }
    )
)
