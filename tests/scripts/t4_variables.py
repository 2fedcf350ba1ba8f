"""Linear regression with nothing but tf.Variable and a tape, and a hypothesis that is trained by hand."""

import json

import numpy as np
import tensorflow as tf

x_data = np.array([1, 2, 3, 4, 5], dtype=np.float32)
y_data = np.array([1.2, 2.1, 2.9, 4.2, 4.8], dtype=np.float32)

W = tf.Variable(2.9)
b = tf.Variable(0.5)
learning_rate = 0.01
costs = []
for i in range(100):
    with tf.GradientTape() as tape:
        hypothesis = W * x_data + b
        cost = tf.reduce_mean(tf.square(hypothesis - y_data))
    W_grad, b_grad = tape.gradient(cost, [W, b])
    W.assign_sub(learning_rate * W_grad)
    b.assign_sub(learning_rate * b_grad)
    if i % 20 == 0:
        print(f"{i:5} | {W.numpy():10.4f} | {b.numpy():10.4f} | {cost:10.6f}")
        costs.append(float(cost))

# Logistic regression of several features, with an optimizer.
rng = np.random.default_rng(27)
X = rng.normal(size=(30, 2)).astype(np.float32)
Y = (X.sum(axis=1, keepdims=True) > 0).astype(np.float32)
weights = tf.Variable(tf.constant([[0.3], [-0.2]]), name="weights")
bias = tf.Variable(tf.zeros((1,)), name="bias")
optimizer = tf.keras.optimizers.SGD(learning_rate=0.5)


def loss_fn():
    p = tf.sigmoid(tf.matmul(X, weights) + bias)
    return -tf.reduce_mean(Y * tf.math.log(p) + (1 - Y) * tf.math.log(1 - p))


losses = []
for _ in range(10):
    with tf.GradientTape() as tape:
        loss = loss_fn()
    gradients = tape.gradient(loss, [weights, bias])
    optimizer.apply_gradients(zip(gradients, [weights, bias], strict=True))
    losses.append(loss.numpy().item())
predicted = tf.cast(tf.sigmoid(tf.matmul(X, weights) + bias) > 0.5, dtype=tf.float32)
accuracy = tf.reduce_mean(tf.cast(tf.equal(predicted, Y), dtype=tf.float32))

# The slope of a curve, and of its slope.
x = tf.Variable(3.0)
with tf.GradientTape() as tape:
    y = x**3 - 2.0 * x
slope = tape.gradient(y, x)

print(
    json.dumps(
        {
            "costs": costs,
            "line": [W.numpy().item(), b.numpy().item()],
            "prediction": float(W * 5.5 + b),
            "losses": losses,
            "weights": weights.numpy().tolist(),
            "accuracy": float(accuracy),
            "slope": slope.numpy().item(),
        }
    )
)
