"""A graph of several inputs and outputs: a text, numbers, two verdicts, and losses by name."""

import json

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(16)
titles = rng.integers(1, 30, size=(40, 6))
tags = rng.integers(0, 2, size=(40, 4)).astype("float32")
priority = rng.random((40, 1))
department = rng.integers(0, 3, size=40)

title_input = keras.Input(shape=(6,), name="title")
tags_input = keras.Input(shape=(4,), name="tags")
title_features = layers.LSTM(5)(layers.Embedding(30, 4)(title_input))
x = layers.concatenate([title_features, tags_input])
x = layers.Dense(8, activation="relu")(x)
priority_pred = layers.Dense(1, name="priority", activation="sigmoid")(x)
department_pred = layers.Dense(3, name="department", activation="softmax")(x)
model = keras.Model(inputs=[title_input, tags_input], outputs=[priority_pred, department_pred])
model.compile(
    optimizer=keras.optimizers.RMSprop(0.003),
    loss={"priority": "mse", "department": "sparse_categorical_crossentropy"},
    loss_weights={"priority": 2.0, "department": 0.5},
    metrics={"priority": ["mae"], "department": ["accuracy"]},
)
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

inputs = {"title": titles, "tags": tags}
targets = {"priority": priority, "department": department}
history = model.fit(inputs, targets, epochs=2, batch_size=10, shuffle=False, verbose=0)
results = model.evaluate(inputs, targets, batch_size=10, verbose=0, return_dict=True)
first, second = model.predict([titles[:3], tags[:3]], verbose=0)

# The same again as lists.
model.fit([titles, tags], [priority, department], epochs=1, batch_size=10, shuffle=False, verbose=0)

features = keras.Model(model.inputs, model.get_layer("department").output)
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "keys": sorted(history.history),
            "mae": history.history["priority_mae"],
            "results": {key: float(results[key]) for key in ("loss", "department_accuracy", "priority_mae")},
            "first": first.tolist(),
            "second": second.tolist(),
            "after": features.predict(inputs, verbose=0)[:3].tolist(),
        }
    )
)
