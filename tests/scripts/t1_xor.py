"""XOR: four rows, fifty thousand epochs."""

import json

import numpy as np
import tensorflow as tf

x_data = [[0, 0], [0, 1], [1, 0], [1, 1]]
y_data = [[0], [1], [1], [0]]
x_train, y_train = np.array(x_data, dtype=np.float32), np.array(y_data, dtype=np.float32)

model = tf.keras.Sequential()
model.add(tf.keras.layers.Dense(units=2, input_dim=2, activation="sigmoid"))
model.add(tf.keras.layers.Dense(units=1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=tf.keras.optimizers.SGD(learning_rate=0.1), metrics=["accuracy"])
rng = np.random.default_rng(7)
model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.get_weights()])

history = model.fit(x_train, y_train, epochs=50000, batch_size=4, shuffle=False, verbose=0)
predictions = model.predict(x_train, verbose=0)
score = model.evaluate(x_train, y_train, verbose=0)
print("Accuracy:", score[1])

print(
    json.dumps(
        {
            "epochs": len(history.history["loss"]),
            "loss": history.history["loss"][::10000],
            "accuracy": score[1],
            "predictions": predictions.tolist(),
        }
    )
)
