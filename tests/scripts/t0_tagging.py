"""A tag for every word: padding is masked, a BiLSTM reads both ways, one Dense per step."""

import json

import numpy as np
from tensorflow.keras.layers import LSTM, Bidirectional, Dense, Embedding, SimpleRNN, TimeDistributed
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import RMSprop
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.utils import to_categorical

rng = np.random.default_rng(3)
sentences = [rng.integers(1, 30, size=rng.integers(2, 8)).tolist() for _ in range(32)]
tags = [[1 + word % 3 for word in sentence] for sentence in sentences]

max_len, tag_size = 7, 4
X = pad_sequences(sentences, padding="post", maxlen=max_len)
y = to_categorical(pad_sequences(tags, padding="post", maxlen=max_len), num_classes=tag_size)

model = Sequential()
model.add(Embedding(30, 6, mask_zero=True))
model.add(Bidirectional(LSTM(5, return_sequences=True)))
model.add(TimeDistributed(Dense(tag_size, activation="softmax")))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(0.01), metrics=["accuracy"])
model.build((None, max_len))
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit(X, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
predicted = model.predict(X[:1], verbose=0)

# The same with integer targets and a plain RNN.
simple = Sequential([Embedding(30, 6), SimpleRNN(5, return_sequences=True), Dense(tag_size, activation="softmax")])
simple.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["acc"])
simple.build((None, max_len))
simple.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in simple.get_weights()])
simple.fit(X, y.argmax(-1), batch_size=8, epochs=2, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "accuracy": history.history["accuracy"],
            "evaluate": model.evaluate(X, y, verbose=0),
            "predicted": predicted[0, : len(sentences[0])].tolist(),
            "simple": simple.evaluate(X, y.argmax(-1), verbose=0),
        }
    )
)
