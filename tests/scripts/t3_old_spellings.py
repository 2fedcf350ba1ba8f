"""A script of Keras 1 as it stood: old paths, old names, old keywords."""

import json

import numpy as np
from keras.layers.convolutional import Convolution1D
from keras.layers.core import Activation, Dense, Dropout
from keras.layers.embeddings import Embedding
from keras.layers.pooling import GlobalMaxPooling1D
from keras.layers.recurrent import LSTM
from keras.models import Sequential
from keras.optimizers import Adam
from keras.preprocessing import sequence
from keras.utils import np_utils

rng = np.random.default_rng(22)
X_train = sequence.pad_sequences([rng.integers(1, 20, size=n).tolist() for n in rng.integers(3, 9, size=40)], maxlen=8)
Y_train = np_utils.to_categorical(X_train.sum(axis=1) % 3, 3)

model = Sequential()
model.add(Embedding(20, 6, input_length=8))
model.add(Convolution1D(nb_filter=5, filter_length=3, border_mode="same", activation="relu", subsample_length=1))
model.add(LSTM(output_dim=4, return_sequences=True, inner_activation="sigmoid"))
model.add(GlobalMaxPooling1D())
model.add(Dropout(0.0))
model.add(Dense(output_dim=3, init="uniform"))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.01), metrics=["accuracy"])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

history = model.fit(X_train, Y_train, nb_epoch=3, batch_size=10, shuffle=False, verbose=0)
classes = model.predict_classes(X_train[:6], verbose=0)
proba = model.predict_proba(X_train[:2], verbose=0)
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "score": model.evaluate(X_train, Y_train, verbose=0),
            "classes": classes.tolist(),
            "proba": proba.tolist(),
        }
    )
)
