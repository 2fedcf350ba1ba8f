"""A stateful LSTM on a sine: the state goes on from batch to batch until the script resets it."""

import json

import numpy as np
from keras.layers import LSTM, Dense, Input
from keras.models import Sequential

wave = np.sin(np.arange(61) * 0.3).astype("float32")
look_back = 4
X = np.array([wave[i : i + look_back] for i in range(56)])[:, :, None]
Y = wave[look_back : look_back + 56]

model = Sequential()
model.add(Input(batch_shape=(1, look_back, 1)))
layer = LSTM(6, stateful=True)
model.add(layer)
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
rng = np.random.default_rng(9)
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

losses = []
for _ in range(2):
    history = model.fit(X[:40], Y[:40], epochs=1, batch_size=1, shuffle=False, verbose=0)
    losses += history.history["loss"]
    layer.reset_states() if hasattr(layer, "reset_states") else layer.reset_state()

first = model.predict(X[:3], batch_size=1, verbose=0)
goes_on = model.predict(X[:3], batch_size=1, verbose=0)

# Prediction feeds on itself.
seed, written = X[39:40], []
for _ in range(5):
    value = model.predict(seed, verbose=0)
    written.append(float(value[0, 0]))
    seed = np.concatenate([seed[:, 1:], value[:, None, :]], axis=1)

print(json.dumps({"loss": losses, "first": first.tolist(), "goes_on": goes_on.tolist(), "written": written}))
