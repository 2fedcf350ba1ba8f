"""A slip of the pen in a script that is right otherwise."""

import numpy as np
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

model = Sequential()
model.add(Dense(8, input_dim=4, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
model.fit(np.zeros((8, 4)), np.zeros(8), epoches=10, verbose=0)
