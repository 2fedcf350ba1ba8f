"""A training loop of one's own: GradientTape, apply_gradients, metrics that are reset between epochs."""

import json

import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(31)
X = rng.normal(size=(64, 4)).astype("float32")
y = (X[:, 0] > X[:, 3]).astype("int32")

inputs = keras.Input(shape=(4,))
x = keras.layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.l2(0.01))(inputs)
outputs = keras.layers.Dense(2, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

loss_fn = keras.losses.SparseCategoricalCrossentropy()
optimizer = keras.optimizers.RMSprop(learning_rate=0.01)
train_acc = keras.metrics.SparseCategoricalAccuracy()
loss_tracking = keras.metrics.Mean()


@tf.function
def train_step(batch, targets):
    with tf.GradientTape() as tape:
        predictions = model(batch, training=True)
        loss = loss_fn(targets, predictions)
        loss = tf.add_n([loss, *model.losses])
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
    train_acc.update_state(targets, predictions)
    loss_tracking.update_state(loss)
    return loss


history = []
for epoch in range(2):
    train_acc.reset_state()
    loss_tracking.reset_state()
    for start in range(0, 64, 16):
        step_loss = train_step(X[start : start + 16], y[start : start + 16])
    history.append([float(loss_tracking.result()), float(train_acc.result()), float(step_loss)])
    print(f"epoch {epoch}: loss {loss_tracking.result():.4f}, accuracy {train_acc.result():.4f}")

predictions = model(X[:3]).numpy()
print(json.dumps({"history": history, "predictions": predictions.tolist()}))
