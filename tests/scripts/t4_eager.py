"""Tensors one can look at: layers called on arrays, numpy-like functions of tf, an RNN cell by hand."""

import json

import numpy as np
import tensorflow as tf

tf.random.set_seed(777)
rng = np.random.default_rng(26)

a = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
b = tf.ones((3, 2)) * 0.5
product = tf.matmul(a, b)
print(product.numpy(), a.shape, tf.rank(a).numpy())
results = {
    "product": (product + 1.0).numpy().tolist(),
    "sum": float(tf.reduce_sum(a)),
    "mean": tf.reduce_mean(a, axis=0).numpy().tolist(),
    "argmax": tf.argmax(a, axis=1).numpy().tolist(),
    "one_hot": tf.one_hot([0, 2, 1], depth=3).numpy().tolist(),
    "reshape": tf.reshape(a, [-1]).numpy().tolist(),
    "cast": tf.cast(a > 2.5, dtype=tf.float32).numpy().tolist(),
    "equal": tf.equal(tf.argmax(a, 1), [2, 2]).numpy().tolist(),
    "softmax": tf.nn.softmax(a).numpy().tolist(),
    "joined": list(tf.concat([a, a], axis=0).shape),
    "expanded": list(tf.expand_dims(a, 0).shape),
    "transposed": tf.transpose(a).numpy().tolist(),
    "squared": tf.square(a).numpy()[0].tolist(),
    "stacked": list(tf.stack([a, a], axis=1).shape),
    "zeros": tf.zeros([2]).numpy().tolist(),
    "range": tf.range(3).numpy().tolist(),
}

# The hidden state of an RNN, step by step, and the layer that does the same.
x = rng.normal(size=(1, 4, 3)).astype(np.float32)
cell = tf.keras.layers.SimpleRNNCell(2)
cell.build((None, 3))
weights = [rng.uniform(-0.5, 0.5, w.shape).astype(np.float32) for w in cell.get_weights()]
cell.set_weights(weights)
rnn = tf.keras.layers.RNN(cell, return_sequences=True, return_state=True)
outputs, states = rnn(x)
h = np.zeros((1, 2), np.float32)
for t in range(4):
    h = tf.nn.tanh(tf.matmul(x[:, t], weights[0]) + tf.matmul(h, weights[1]) + weights[2])
results["rnn"] = outputs.numpy().tolist()
results["same"] = bool(np.allclose(states, h, atol=1e-6))

dense = tf.keras.layers.Dense(2, activation="relu")
dense(np.zeros((1, 3), np.float32))
dense.set_weights([np.arange(6).reshape(3, 2) / 6 - 0.4, np.array([0.1, -0.1])])
results["dense"] = dense(a).numpy().tolist()
results["conv"] = list(tf.keras.layers.Conv2D(4, 3)(np.zeros((1, 8, 8, 1), np.float32)).shape)
results["embedding"] = list(tf.keras.layers.Embedding(10, 3)(np.array([[1, 2]])).shape)

model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
model.set_weights([np.ones((3, 1)), np.zeros(1)])
results["model"] = model(a).numpy().tolist()

print(json.dumps(results))
