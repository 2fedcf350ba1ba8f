"""A recurrent cell, a regularizer, an initializer, a constraint and a schedule of one's own."""

import json

import numpy as np
import tensorflow as tf
from tensorflow import keras


class MinimalRNNCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )
        self.built = True

    def call(self, inputs, states):
        prev_output = states[0]
        h = tf.matmul(inputs, self.kernel)
        output = tf.nn.tanh(h + tf.matmul(prev_output, self.recurrent_kernel))
        return output, [output]


class StrangeRegularizer(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return self.factor * tf.reduce_sum(tf.abs(weights) + tf.square(weights))

    def get_config(self):
        return {"factor": self.factor}


def my_positive_weights(weights):
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


def my_initializer(shape, dtype=None):
    return np.linspace(-0.5, 0.5, int(np.prod(shape))).reshape(shape).astype("float32")


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 * 0.5 ** tf.cast(step, tf.float32)


rng = np.random.default_rng(38)
X = rng.normal(size=(24, 5, 3)).astype("float32")
y = X[:, -1, :1] - X[:, 0, 1:2]

model = keras.Sequential(
    [
        keras.Input((5, 3)),
        keras.layers.RNN(MinimalRNNCell(4)),
        keras.layers.Dense(
            3, kernel_initializer=my_initializer, kernel_regularizer=StrangeRegularizer(0.01), activation="softplus"
        ),
        keras.layers.Dense(1, kernel_initializer="ones", kernel_constraint=my_positive_weights),
    ]
)
model.layers[0].set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.layers[0].get_weights()])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=Halving()), loss="mse")
history = model.fit(X, y, batch_size=8, epochs=3, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "predictions": model.predict(X[:3], verbose=0).tolist(),
            "kernel": model.layers[-1].get_weights()[0].tolist(),
        }
    )
)
