"""Word vectors from elsewhere: weights=[matrix], frozen, then Conv1D; the weights go to a file and come back."""

import json

import numpy as np
from keras.layers import Conv1D, Dense, Embedding, GlobalMaxPooling1D, MaxPooling1D
from keras.models import Sequential

rng = np.random.default_rng(15)
embedding_matrix = rng.normal(size=(40, 6))
X = rng.integers(0, 40, size=(50, 20))
y = (X[:, :10].sum(axis=1) > X[:, 10:].sum(axis=1)).astype("int32")


def build():
    model = Sequential()
    model.add(Embedding(40, 6, weights=[embedding_matrix], trainable=False))
    model.add(Conv1D(8, 3, activation="relu"))
    model.add(MaxPooling1D(2))
    model.add(Conv1D(8, 3, activation="relu"))
    model.add(GlobalMaxPooling1D())
    model.add(Dense(1, activation="sigmoid"))
    model.build((None, 20))
    model.compile("rmsprop", "binary_crossentropy", metrics=["acc"])
    return model


model = build()
for layer in model.layers[1:]:
    layer.set_weights([rng.uniform(-0.3, 0.3, w.shape) for w in layer.get_weights()])
history = model.fit(X, y, epochs=3, batch_size=10, class_weight={0: 1.0, 1: 2.0}, shuffle=False, verbose=0)
model.save_weights("model.weights.h5")

other = build()
other.load_weights("model.weights.h5")
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "acc": history.history["acc"],
            "kept": bool(np.allclose(model.layers[0].get_weights()[0], embedding_matrix)),
            "trainable": len(model.trainable_weights),
            "loaded": other.evaluate(X, y, verbose=0),
            "predictions": other.predict(X[:4], verbose=0).tolist(),
        }
    )
)
