"""Attention over the steps of an LSTM as a layer of one's own, written with the backend."""

import json

import numpy as np
from keras import backend as K
from keras.layers import LSTM, Bidirectional, Dense, Embedding, Input, Layer
from keras.models import Model


class AttentionLayer(Layer):
    def __init__(self, attention_dim, **kwargs):
        self.attention_dim = attention_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(name="W", shape=(input_shape[-1], self.attention_dim), initializer="glorot_uniform")
        self.b = self.add_weight(name="b", shape=(self.attention_dim,), initializer="zeros")
        self.u = self.add_weight(name="u", shape=(self.attention_dim, 1), initializer="glorot_uniform")
        super().build(input_shape)

    def call(self, x):
        uit = K.tanh(K.bias_add(K.dot(x, self.W), self.b))
        ait = K.exp(K.squeeze(K.dot(uit, self.u), -1))
        ait /= K.cast(K.sum(ait, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        weighted_input = x * K.expand_dims(ait)
        return K.sum(weighted_input, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


rng = np.random.default_rng(30)
X = rng.integers(0, 25, size=(32, 9))
y = (X == 7).any(axis=1).astype("float32")

sentence_input = Input(shape=(9,), dtype="int32")
embedded = Embedding(25, 6)(sentence_input)
l_lstm = Bidirectional(LSTM(5, return_sequences=True))(embedded)
l_att = AttentionLayer(4)(l_lstm)
preds = Dense(1, activation="sigmoid")(l_att)
model = Model(sentence_input, preds)
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["acc"])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit(X, y, validation_data=(X[:8], y[:8]), epochs=2, batch_size=8, shuffle=False, verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "predictions": model.predict(X[:4], verbose=0).tolist(),
            "shapes": [list(w.shape) for w in model.get_weights()],
        }
    )
)
