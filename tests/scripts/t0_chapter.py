"""The tutorial chapter, block by block: from texts to a saved model."""

import json

import numpy as np
from tensorflow.keras.layers import Dense, Embedding, Flatten
from tensorflow.keras.models import Sequential, load_model
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer

tokenizer = Tokenizer()
train_text = "The earth is an awesome place live"
tokenizer.fit_on_texts([train_text])
sub_text = "The earth is an great place live"
sequences = tokenizer.texts_to_sequences([sub_text])[0]
print("integers:", sequences)
print("word index:", tokenizer.word_index)

padded = pad_sequences([[1, 2, 3], [3, 4, 5, 6], [7, 8]], maxlen=3, padding="pre")
print(padded)

# Words as vectors: (samples, length) -> (samples, length, dimensions)
tokenized_text = [["Hope", "to", "see", "you", "soon"], ["Nice", "to", "see", "you", "again"]]
encoded_text = np.array([[0, 1, 2, 3, 4], [5, 1, 2, 3, 6]])
vocab_size = 7
embedding_dim = 2
words = Sequential()
words.add(Embedding(vocab_size, embedding_dim))
words.build((None, 5))
words.set_weights([np.arange(14).reshape(7, 2) / 14])
vectors = words.predict(encoded_text, verbose=0)
print(vectors.shape)

model = Sequential()
model.add(Dense(8, input_dim=4, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.summary()

model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
rng = np.random.default_rng(0)
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])

X_train = rng.normal(size=(200, 4))
y_train = (X_train.sum(axis=1) > 0).astype(int)
X_val, y_val = X_train[150:], y_train[150:]
history = model.fit(X_train, y_train, epochs=3, batch_size=32, verbose=1, validation_data=(X_val, y_val), shuffle=False)
model.fit(X_train, y_train, epochs=4, initial_epoch=3, batch_size=32, verbose=2, shuffle=False)
model.fit(X_train, y_train, epochs=2, batch_size=32, verbose=0, validation_split=0.2, shuffle=False)
loss, acc = model.evaluate(X_val, y_val, batch_size=32, verbose=0)
predictions = model.predict(X_val, batch_size=32, verbose=0)

model.save("model_name.h5")
again = load_model("model_name.h5").predict(X_val, verbose=0)

# Ids of words to one of three classes.
classifier = Sequential()
classifier.add(Embedding(vocab_size, embedding_dim, input_length=5))
classifier.add(Flatten())
classifier.add(Dense(3, activation="softmax"))
classifier.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["acc"])
classifier.build((None, 5))
classifier.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in classifier.get_weights()])
classifier.fit(encoded_text, np.array([[0, 1, 0], [0, 0, 1]]), epochs=2, verbose=0, shuffle=False)

print(
    json.dumps(
        {
            "sequences": sequences,
            "word_index": tokenizer.word_index,
            "padded": padded.tolist(),
            "vectors": vectors.tolist(),
            "history": history.history,
            "evaluate": [loss, acc],
            "predictions": predictions[:5].tolist(),
            "loaded": float(np.abs(again - predictions).max()),
            "classes": classifier.predict(encoded_text, verbose=0).tolist(),
        }
    )
)
