"""Blocks with a way around them, a model inside a model, and maps of what a layer in the middle gives."""

import json

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(19)
x_train = rng.random((24, 8, 8, 2)).astype("float32")
y_train = keras.utils.to_categorical(np.arange(24) % 2, 2)


def residual_block(x, filters, pooling=False):
    residual = x
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    if pooling:
        x = layers.MaxPooling2D(2, padding="same")(x)
        residual = layers.Conv2D(filters, 1, strides=2)(residual)
    elif filters != residual.shape[-1]:
        residual = layers.Conv2D(filters, 1)(residual)
    return layers.add([x, residual])


inputs = keras.Input(shape=(8, 8, 2))
x = layers.Rescaling(2.0, offset=-1.0)(inputs)
x = residual_block(x, filters=4, pooling=True)
x = residual_block(x, filters=6)
body = keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="body")

image = keras.Input(shape=(8, 8, 2))
outputs = layers.Dense(2, activation="softmax")(body(image))
model = keras.Model(image, outputs)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.set_weights([rng.uniform(-0.3, 0.3, w.shape) for w in model.get_weights()])
history = model.fit(x_train, y_train, epochs=2, batch_size=8, shuffle=False, verbose=0)

activation_model = keras.Model(body.input, [layer.output for layer in body.layers[2:4]])
maps = activation_model.predict(x_train[:1], verbose=0)
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "evaluate": model.evaluate(x_train, y_train, verbose=0),
            "shapes": [list(m.shape) for m in maps],
            "maps": [m[0, :2, :2, 0].tolist() for m in maps],
            "body": body.predict(x_train[:1], verbose=0).tolist(),
            "params": body.count_params(),
        }
    )
)
