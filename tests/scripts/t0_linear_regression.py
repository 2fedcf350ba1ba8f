"""Study hours and marks: a line through nine points, one point at a time."""

import json

import numpy as np
from tensorflow.keras import optimizers
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

x = [1, 2, 3, 4, 5, 6, 7, 8, 9]
y = [11, 22, 33, 44, 53, 66, 77, 87, 95]

model = Sequential()
model.add(Dense(1, input_dim=1, activation="linear"))
sgd = optimizers.SGD(learning_rate=0.01)
model.compile(optimizer=sgd, loss="mse", metrics=["mse"])
model.set_weights([np.array([[0.5]]), np.array([0.0])])

history = model.fit(np.array(x), np.array(y), batch_size=1, epochs=30, shuffle=False, verbose=0)
prediction = model.predict(np.array([9.5]), verbose=0)
print(prediction)

print(
    json.dumps(
        {
            "loss": history.history["loss"][::10],
            "mse": history.history["mse"][::10],
            "weights": [w.tolist() for w in model.get_weights()],
            "prediction": prediction.tolist(),
        }
    )
)
