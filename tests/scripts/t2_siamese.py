"""A siamese network: one tower for two inputs, the distance of what it gives, a contrastive loss."""

import json

import numpy as np
from keras import backend as K
from keras.layers import Dense, Dot, Input, Lambda
from keras.models import Model, Sequential
from keras.optimizers import RMSprop

rng = np.random.default_rng(17)
pairs = rng.normal(size=(32, 2, 6)).astype("float32")
y = (np.arange(32) % 2).astype("float32")
pairs[y == 1, 1] = pairs[y == 1, 0] + 0.1


def euclidean_distance(vectors):
    a, b = vectors
    return K.sqrt(K.maximum(K.sum(K.square(a - b), axis=1, keepdims=True), K.epsilon()))


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


base = Sequential([Dense(8, activation="relu", input_shape=(6,)), Dense(4)])
input_a, input_b = Input(shape=(6,)), Input(shape=(6,))
processed_a, processed_b = base(input_a), base(input_b)
distance = Lambda(euclidean_distance, output_shape=(1,))([processed_a, processed_b])
model = Model([input_a, input_b], distance)
model.compile(loss=contrastive_loss, optimizer=RMSprop(0.01))
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit([pairs[:, 0], pairs[:, 1]], y, batch_size=8, epochs=4, shuffle=False, verbose=0)
distances = model.predict([pairs[:, 0], pairs[:, 1]], verbose=0)

# Another head on the same tower.
cosine = Model([input_a, input_b], Dot(axes=-1, normalize=True)([processed_a, processed_b]))
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "distances": distances[:4, 0].tolist(),
            "cosines": cosine.predict([pairs[:4, 0], pairs[:4, 1]], verbose=0).tolist(),
            "weights": len(model.get_weights()),
        }
    )
)
