"""A character RNN: one-hot windows of a text, and then text that the model writes itself."""

import json

import numpy as np
from keras.layers import Dense, SimpleRNN
from keras.models import Sequential
from keras.optimizers import RMSprop

text = "the cat sat on the mat and the rat ran at the hat " * 3
chars = sorted(set(text))
char_indices = {c: i for i, c in enumerate(chars)}
indices_char = dict(enumerate(chars))

maxlen, step = 8, 3
starts = range(0, len(text) - maxlen, step)
x = np.zeros((len(starts), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(starts), len(chars)), dtype=bool)
for i, start in enumerate(starts):
    for t, char in enumerate(text[start : start + maxlen]):
        x[i, t, char_indices[char]] = 1
    y[i, char_indices[text[start + maxlen]]] = 1

model = Sequential()
model.add(SimpleRNN(16, input_shape=(maxlen, len(chars)), return_sequences=False))
model.add(Dense(len(chars), activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(learning_rate=0.01))
rng = np.random.default_rng(8)
model.set_weights([rng.uniform(-0.4, 0.4, w.shape) for w in model.get_weights()])
losses = model.fit(x, y, batch_size=16, epochs=6, shuffle=False, verbose=0).history["loss"]

sentence = generated = text[:maxlen]
for _ in range(8):
    x_pred = np.zeros((1, maxlen, len(chars)))
    for t, char in enumerate(sentence):
        x_pred[0, t, char_indices[char]] = 1.0
    probabilities = model.predict(x_pred, verbose=0)[0]
    next_char = indices_char[int(np.argmax(probabilities))]
    sentence = sentence[1:] + next_char
    generated += next_char
print(generated)

print(json.dumps({"loss": losses, "generated": generated, "last": probabilities.tolist()}))
