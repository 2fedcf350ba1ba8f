"""Small pictures: Conv2D, MaxPooling2D, Flatten, Dropout of nothing, Dense."""

import json

import numpy as np
from tensorflow import keras
from tensorflow.keras import initializers, layers

rng = np.random.default_rng(10)
x_train = rng.integers(0, 256, size=(48, 10, 10)).astype("uint8")
y_train = np.arange(48) % 3
for image, label in zip(x_train, y_train, strict=True):
    image[2 * label : 2 * label + 4] //= 4  # a dark band, by class
x_train = x_train.reshape((48, 10, 10, 1)).astype("float32") / 255

model = keras.Sequential()
model.add(layers.Conv2D(4, kernel_size=(3, 3), activation="relu", input_shape=(10, 10, 1)))
model.add(layers.MaxPooling2D(pool_size=2))
model.add(layers.Conv2D(6, (3, 3), padding="same", kernel_initializer=initializers.he_normal()))
model.add(layers.LeakyReLU())
model.add(layers.Dropout(0.0))
model.add(layers.Flatten())
model.add(layers.Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.set_weights([rng.uniform(-0.4, 0.4, w.shape) for w in model.get_weights()])

history = model.fit(x_train, y_train, epochs=3, batch_size=12, shuffle=False, verbose=0)
feature_maps = keras.Model(model.inputs, model.layers[0].output).predict(x_train[:1], verbose=0)

print(
    json.dumps(
        {
            "shapes": [list(w.shape) for w in model.get_weights()],
            "loss": history.history["loss"],
            "accuracy": history.history["accuracy"],
            "predictions": model.predict(x_train[:3], verbose=0).tolist(),
            "feature_map": feature_maps[0, :3, 0].tolist(),
        }
    )
)
