"""Sequence to sequence: an encoder gives its states to a decoder; two more models on the same layers translate."""

import json

import numpy as np
from tensorflow.keras.layers import LSTM, Dense, Embedding, Input, Masking
from tensorflow.keras.models import Model

rng = np.random.default_rng(18)
words, hidden, length = 10, 6, 5
START, END = 8, 9
source = np.zeros((24, length), "int32")
for row in source:
    n = rng.integers(2, length + 1)
    row[:n] = rng.integers(1, 8, size=n)
target = [[START, *[i for i in row[::-1] if i], END] for row in source.tolist()]
decoder_input = np.zeros((24, length + 1), "int32")
decoder_target = np.zeros((24, length + 1), "int32")
for i, row in enumerate(target):
    decoder_input[i, : len(row) - 1] = row[:-1]
    decoder_target[i, : len(row) - 1] = row[1:]

encoder_inputs = Input(shape=(None,))
enc_emb = Embedding(words, 4)(encoder_inputs)
enc_masking = Masking(mask_value=0.0)(enc_emb)
encoder_lstm = LSTM(hidden, return_state=True)
encoder_outputs, state_h, state_c = encoder_lstm(enc_masking)
encoder_states = [state_h, state_c]

decoder_inputs = Input(shape=(None,))
dec_emb_layer = Embedding(words, 4)
decoder_lstm = LSTM(hidden, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(dec_emb_layer(decoder_inputs), initial_state=encoder_states)
decoder_dense = Dense(words, activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)

model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["acc"])
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
history = model.fit([source, decoder_input], decoder_target, batch_size=8, epochs=2, shuffle=False, verbose=0)

encoder_model = Model(encoder_inputs, encoder_states)
decoder_state_inputs = [Input(shape=(hidden,)), Input(shape=(hidden,))]
outputs, h, c = decoder_lstm(dec_emb_layer(decoder_inputs), initial_state=decoder_state_inputs)
decoder_model = Model([decoder_inputs, *decoder_state_inputs], [decoder_dense(outputs), h, c])


def decode_sequence(sequence):
    states = encoder_model.predict(sequence, verbose=0)
    word, decoded, scores = np.array([[START]]), [], []
    while len(decoded) < length:
        output, h, c = decoder_model.predict([word, *states], verbose=0)
        index = int(np.argmax(output[0, -1, :]))
        if index == END:
            break
        decoded.append(index)
        scores.append(float(output[0, -1, index]))
        word, states = np.array([[index]]), [h, c]
    return decoded, scores


decoded, scores = decode_sequence(source[:1])
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "acc": history.history["acc"],
            "decoded": decoded,
            "scores": scores,
            "states": [s.tolist() for s in encoder_model.predict(source[:2], verbose=0)],
        }
    )
)
