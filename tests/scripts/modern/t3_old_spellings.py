"""The script of the same name, as it is written today."""

import json

import numpy as np
from keras.layers import LSTM, Activation, Conv1D, Dense, Embedding, GlobalMaxPooling1D
from keras.models import Sequential
from keras.optimizers import Adam
from keras.preprocessing import sequence
from keras.utils import to_categorical

rng = np.random.default_rng(22)
X_train = sequence.pad_sequences([rng.integers(1, 20, size=n).tolist() for n in rng.integers(3, 9, size=40)], maxlen=8)
Y_train = to_categorical(X_train.sum(axis=1) % 3, 3)

model = Sequential()
model.add(Embedding(20, 6))
model.add(Conv1D(5, 3, padding="same", activation="relu"))
model.add(LSTM(4, return_sequences=True))
model.add(GlobalMaxPooling1D())
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=Adam(learning_rate=0.01), metrics=["accuracy"])
model.build((None, 8))
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

history = model.fit(X_train, Y_train, epochs=3, batch_size=10, shuffle=False, verbose=0)
proba = model.predict(X_train[:6], verbose=0)
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "score": model.evaluate(X_train, Y_train, verbose=0),
            "classes": proba.argmax(axis=-1).tolist(),
            "proba": proba[:2].tolist(),
        }
    )
)
