"""Callbacks: checkpoints by a template, early stopping, a plateau, a schedule, a log."""

import csv
import json
import os

import numpy as np
from keras.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from keras.layers import Dense
from keras.models import Sequential, load_model
from keras.optimizers import SGD

rng = np.random.default_rng(6)
X = rng.normal(size=(80, 6))
Y = (X[:, 0] * X[:, 1] > 0).astype("float32")


def create():
    model = Sequential()
    model.add(Dense(12, input_dim=6, activation="relu"))
    model.add(Dense(1, activation="sigmoid"))
    weights = np.random.default_rng(7)
    model.set_weights([weights.uniform(-0.7, 0.7, w.shape) for w in model.get_weights()])
    return model


MODEL_DIR = "./model/"
if not os.path.exists(MODEL_DIR):
    os.mkdir(MODEL_DIR)
modelpath = MODEL_DIR + "{epoch:02d}-{val_loss:.4f}.keras"

model = create()
model.compile(loss="binary_crossentropy", optimizer=SGD(learning_rate=0.8), metrics=["accuracy"])
checkpointer = ModelCheckpoint(filepath=modelpath, monitor="val_loss", save_best_only=True)
stopping = EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
seen = []
history = model.fit(
    X,
    Y,
    validation_split=0.3,
    epochs=40,
    batch_size=14,
    shuffle=False,
    verbose=0,
    callbacks=[
        checkpointer,
        stopping,
        CSVLogger("log.csv"),
        LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)),
    ],
)
saved = sorted(os.listdir(MODEL_DIR))
best = load_model(MODEL_DIR + saved[-1])
with open("log.csv", newline="") as file:
    rows = list(csv.DictReader(file))

model = create()
model.compile(loss="mse", optimizer=SGD(learning_rate=0.4), metrics=["mae"])
rates = []
slower = ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=0.01, min_lr=0.01)
note = LambdaCallback(on_epoch_end=lambda epoch, logs: rates.append(float(np.array(model.optimizer.learning_rate))))
model.fit(X, Y, epochs=6, batch_size=20, shuffle=False, verbose=0, callbacks=[slower, note])
model.fit(
    X,
    Y,
    epochs=3,
    batch_size=20,
    shuffle=False,
    verbose=0,
    callbacks=[LearningRateScheduler(lambda epoch, lr: lr * 0.9), note],
)

print(
    json.dumps(
        {
            "saved": saved,
            "stopped": stopping.stopped_epoch,
            "epochs": [len(history.history["loss"]), len(seen), len(rows)],
            "val_loss": history.history["val_loss"],
            "logged": [float(row["val_loss"]) for row in rows],
            "best": best.evaluate(X, Y, verbose=0),
            "rates": rates,
        }
    )
)
