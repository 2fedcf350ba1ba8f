"""Topics of newswires: ids of words, an LSTM, one of four classes."""

import json

import numpy as np
from tensorflow.keras.layers import LSTM, Dense, Embedding
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.utils import to_categorical

rng = np.random.default_rng(1)
articles = [rng.integers(1, 50, size=rng.integers(4, 20)).tolist() for _ in range(64)]
topics = [sum(article) % 4 for article in articles]

x = pad_sequences(articles, maxlen=12)
y = to_categorical(topics)
x_train, x_test, y_train, y_test = x[:48], x[48:], y[:48], y[48:]

model = Sequential()
model.add(Embedding(50, 8))
model.add(LSTM(6))
model.add(Dense(4, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.build((None, 12))
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

history = model.fit(
    x_train, y_train, batch_size=16, epochs=3, validation_data=(x_test, y_test), shuffle=False, verbose=0
)
print(f"test accuracy: {model.evaluate(x_test, y_test, verbose=0)[1]:.4f}")

print(
    json.dumps(
        {
            "shape": x.shape,
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "val_accuracy": history.history["val_accuracy"],
            "predictions": model.predict(x_test[:3], verbose=0).tolist(),
        }
    )
)
