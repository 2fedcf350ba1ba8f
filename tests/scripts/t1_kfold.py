"""House prices: few rows, so k-fold validation, over a model that is built anew for each fold."""

import json

import numpy as np
from keras import layers, models, regularizers

rng = np.random.default_rng(4)
train_data = rng.normal(5, 3, size=(60, 5))
train_targets = train_data @ rng.normal(size=5) + rng.normal(size=60)
mean, std = train_data.mean(axis=0), train_data.std(axis=0)
train_data = (train_data - mean) / std


def build_model():
    model = models.Sequential()
    model.add(
        layers.Dense(
            8, activation="relu", kernel_regularizer=regularizers.l2(0.001), input_shape=(train_data.shape[1],)
        )
    )
    model.add(layers.Dense(8, activation="relu"))
    model.add(layers.Dense(1))
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    weights = np.random.default_rng(5)
    model.set_weights([weights.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
    return model


k = 4
num_val_samples = len(train_data) // k
all_mae_histories, all_scores = [], []
for i in range(k):
    held_out = slice(i * num_val_samples, (i + 1) * num_val_samples)
    val_data, val_targets = train_data[held_out], train_targets[held_out]
    partial_train_data = np.delete(train_data, np.r_[held_out], axis=0)
    partial_train_targets = np.delete(train_targets, np.r_[held_out], axis=0)
    model = build_model()
    history = model.fit(
        partial_train_data,
        partial_train_targets,
        validation_data=(val_data, val_targets),
        epochs=10,
        batch_size=9,
        shuffle=False,
        verbose=0,
    )
    all_mae_histories.append(history.history["val_mae"])
    val_mse, val_mae = model.evaluate(val_data, val_targets, verbose=0)
    all_scores.append(val_mae)

average_mae_history = [np.mean([x[i] for x in all_mae_histories]) for i in range(10)]
print("mean absolute error:", np.mean(all_scores))
print(json.dumps({"scores": all_scores, "history": average_mae_history}))
