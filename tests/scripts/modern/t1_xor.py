"""The script of the same name as one function of TensorFlow: fit takes it minutes for so many epochs."""

import json

import numpy as np
import tensorflow as tf

tf.config.run_functions_eagerly(False)
x_train = tf.constant([[0, 0], [0, 1], [1, 0], [1, 1]], tf.float32)
y_train = tf.constant([[0], [1], [1], [0]], tf.float32)

rng = np.random.default_rng(7)
shapes = [(2, 2), (2,), (2, 1), (1,)]
weights = [tf.Variable(rng.uniform(-1, 1, shape), dtype=tf.float32) for shape in shapes]


def logits():
    W1, b1, W2, b2 = weights
    return tf.matmul(tf.sigmoid(tf.matmul(x_train, W1) + b1), W2) + b2


@tf.function
def fit(epochs):
    losses = tf.TensorArray(tf.float32, size=epochs)
    for epoch in tf.range(epochs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y_train, logits()))
        for w, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            w.assign_sub(0.1 * gradient)
        losses = losses.write(epoch, loss)
    return losses.stack()


history = fit(tf.constant(50000)).numpy()
predictions = tf.sigmoid(logits()).numpy()
accuracy = np.mean((predictions > 0.5) == y_train.numpy())

print(
    json.dumps(
        {
            "epochs": len(history),
            "loss": history[::10000].tolist(),
            "accuracy": float(accuracy),
            "predictions": predictions.tolist(),
        }
    )
)
