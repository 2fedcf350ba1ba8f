"""Good or bad: the first words of reviews through a GRU, and a new sentence afterwards."""

import json

import numpy as np
from tensorflow.keras.layers import GRU, Dense, Embedding
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer

rng = np.random.default_rng(2)
good, bad, plain = ["great", "lovely", "fun"], ["awful", "dull", "bad"], ["the", "film", "was", "a", "plot", "it"]
reviews, labels = [], []
for i in range(40):
    words = list(rng.choice(plain, 6)) + list(rng.choice(good if i % 2 else bad, 2))
    reviews.append(" ".join(words).capitalize() + "!")
    labels.append(i % 2)

tokenizer = Tokenizer(num_words=12, oov_token="<OOV>")
tokenizer.fit_on_texts(reviews)
data = pad_sequences(tokenizer.texts_to_sequences(reviews), maxlen=8)

model = Sequential()
model.add(Embedding(12, 5))
model.add(GRU(4))
model.add(Dense(1, activation="sigmoid"))
model.build((None, 8))
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["acc"])
history = model.fit(data, np.array(labels), epochs=3, batch_size=10, validation_split=0.2, shuffle=False, verbose=0)


def score(sentence):
    encoded = tokenizer.texts_to_sequences([sentence])
    return float(model.predict(pad_sequences(encoded, maxlen=8), verbose=0)[0, 0])


print(
    json.dumps(
        {
            "word_index": tokenizer.word_index,
            "counts": sorted(tokenizer.word_counts.items()),
            "data": data[:3].tolist(),
            "loss": history.history["loss"],
            "acc": history.history["acc"],
            "val_acc": history.history["val_acc"],
            "scores": [score("A great film it was"), score("Awful, unheard of!")],
        }
    )
)
