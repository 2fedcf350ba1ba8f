"""fit_generator and its kin, a learning rate called lr, and predict_classes of a sigmoid."""

import json

import numpy as np
from keras import optimizers
from keras.layers import Dense, SimpleRNN
from keras.models import Sequential

rng = np.random.default_rng(23)
float_data = np.cumsum(rng.normal(size=(200, 3)), axis=0)
float_data = (float_data - float_data.mean(axis=0)) / float_data.std(axis=0)


def generator(data, lookback, min_index, max_index, batch_size):
    i = min_index + lookback
    while 1:
        if i + batch_size >= max_index:
            i = min_index + lookback
        rows = np.arange(i, i + batch_size)
        i += batch_size
        samples = np.stack([data[row - lookback : row] for row in rows])
        yield samples, (data[rows, 0] > samples[:, -1, 0]).astype("float32")


train_gen = generator(float_data, 5, 0, 140, 16)
val_data = next(generator(float_data, 5, 140, 200, 48))

model = Sequential()
model.add(SimpleRNN(6, input_shape=(None, 3)))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer=optimizers.SGD(lr=0.1, momentum=0.5), loss="binary_crossentropy", metrics=["acc"])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

history = model.fit_generator(train_gen, steps_per_epoch=6, epochs=2, validation_data=val_data, verbose=0)
score = model.evaluate_generator(generator(float_data, 5, 140, 200, 16), steps=3)
predictions = model.predict_generator(generator(float_data, 5, 140, 200, 16), steps=1)
classes = model.predict_classes(next(generator(float_data, 5, 140, 200, 16))[0])

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "val_acc": history.history["val_acc"],
            "score": score,
            "predictions": predictions.tolist(),
            "classes": classes.tolist(),
        }
    )
)
