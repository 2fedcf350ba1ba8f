"""SGD with decay=, as books of Keras 2 write it, and batch_input_shape on a stateful layer."""

import json

import numpy as np
from keras.layers import GRU, Dense
from keras.models import Sequential
from keras.optimizers import SGD

rng = np.random.default_rng(25)
X, Y = rng.normal(size=(24, 3, 2)), rng.normal(size=(24, 1))

model = Sequential()
model.add(GRU(4, batch_input_shape=(6, 3, 2), stateful=True, reset_after=False))
model.add(Dense(1))
model.compile(loss="mse", optimizer=SGD(lr=0.1, decay=0.01, momentum=0.9, nesterov=True))
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
losses = []
for _ in range(3):
    losses += model.fit(X, Y, batch_size=6, epochs=1, shuffle=False, verbose=0).history["loss"]
    model.reset_states()

print(json.dumps({"loss": losses, "predictions": model.predict(X[:6], batch_size=6, verbose=0).tolist()}))
