"""Sums as texts: one RNN reads "12+7", another writes "19 "."""

import json

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

chars = "0123456789+ "
rng = np.random.default_rng(12)


def encode(text, length):
    x = np.zeros((length, len(chars)))
    for i, c in enumerate(text):
        x[i, chars.index(c)] = 1
    return x


def decode(x):
    return "".join(chars[i] for i in x.argmax(axis=-1))


questions, answers = [], []
for _ in range(64):
    a, b = (int(v) for v in rng.integers(0, 50, size=2))
    questions.append(f"{a}+{b}".ljust(5)[::-1])
    answers.append(str(a + b).ljust(2))
x = np.array([encode(question, 5) for question in questions])
y = np.array([encode(answer, 2) for answer in answers])

model = keras.Sequential()
model.add(layers.LSTM(10, input_shape=(5, len(chars))))
model.add(layers.RepeatVector(2))
for _ in range(1):
    model.add(layers.LSTM(10, return_sequences=True))
model.add(layers.TimeDistributed(layers.Dense(len(chars), activation="softmax")))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.set_weights([rng.uniform(-0.4, 0.4, w.shape) for w in model.get_weights()])

losses = []
for _ in range(2):
    losses += model.fit(x, y, batch_size=16, epochs=1, shuffle=False, verbose=0).history["loss"]
    preds = model.predict(x[:1], verbose=0)
    print("Q", questions[0][::-1], "T", answers[0], "guess", decode(preds[0]))

print(json.dumps({"loss": losses, "evaluate": model.evaluate(x, y, verbose=0), "preds": preds.tolist()}))
