"""A layer of one's own: build, call, get_config; it is trained, saved and loaded again."""

import json

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class MyDense(layers.Layer):
    def __init__(self, units=4, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.w = self.add_weight(
            name="w", shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True
        )
        self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros", trainable=True)
        super().build(input_shape)

    def call(self, inputs):
        y = tf.matmul(inputs, self.w) + self.b
        return self.activation(y)

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units, "activation": keras.activations.serialize(self.activation)})
        return config


class Antirectifier(layers.Layer):
    """Both halves of a centred input, so that nothing is cut off."""

    def call(self, inputs):
        inputs = inputs - tf.reduce_mean(inputs, axis=-1, keepdims=True)
        pos = tf.nn.relu(inputs)
        neg = tf.nn.relu(-inputs)
        return tf.concat([pos, neg], axis=-1)


rng = np.random.default_rng(29)
X = rng.normal(size=(40, 5)).astype("float32")
y = (X[:, 0] ** 2 > X[:, 1]).astype("int32")

model = keras.Sequential(
    [keras.Input((5,)), MyDense(6), Antirectifier(), MyDense(units=4, activation="tanh"), layers.Dense(2)]
)
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit(X, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
predictions = model.predict(X[:3], verbose=0)

model.save("mine.keras")
objects = {"MyDense": MyDense, "Antirectifier": Antirectifier}
loaded = keras.models.load_model("mine.keras", custom_objects=objects)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "accuracy": history.history["accuracy"],
            "predictions": predictions.tolist(),
            "loaded": bool(np.allclose(loaded.predict(X[:3], verbose=0), predictions)),
            "params": model.count_params(),
        }
    )
)
