"""Reviews in a folder for each class: read, looked at, standardized, vectorized, and learnt."""

import json
import os
import re
import string

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

REVIEWS = {
    "neg": ["Dull,<br />dull and LONG!", "not a good film", "The plot is bad... so bad", "long &amp; slow"],
    "pos": ["A <b>great</b> film!", "so good,<br />so funny", "the best plot of the year", "caf\u00e9 scenes: great"],
}
for label, texts in REVIEWS.items():
    os.makedirs(f"reviews/{label}")
    for i, text in enumerate(texts):
        with open(f"reviews/{label}/{i}.txt", "w", encoding="utf-8") as file:
            file.write(text)

raw_train_ds = tf.keras.utils.text_dataset_from_directory("reviews", batch_size=3, shuffle=False)
print("Label 0 corresponds to", raw_train_ds.class_names[0])
seen = []
for text_batch, label_batch in raw_train_ds.take(1):
    for i in range(3):
        print("Review", text_batch.numpy()[i], "Label", label_batch.numpy()[i])
        seen.append(text_batch[i].numpy().decode("utf-8"))


def custom_standardization(input_data):
    lowercase = tf.strings.lower(input_data)
    stripped_html = tf.strings.regex_replace(lowercase, "<[^>]+>", " ")
    return tf.strings.regex_replace(stripped_html, f"[{re.escape(string.punctuation)}]", "")


vectorize_layer = layers.TextVectorization(
    standardize=custom_standardization, max_tokens=24, output_mode="int", output_sequence_length=6
)
vectorize_layer.adapt(raw_train_ds.map(lambda x, y: x))


def vectorize_text(text, label):
    return vectorize_layer(tf.expand_dims(text, -1)), label


train_ds = raw_train_ds.map(vectorize_text).cache().prefetch(buffer_size=tf.data.AUTOTUNE)
model = tf.keras.Sequential(
    [layers.Input((6,)), layers.Embedding(24, 4), layers.GlobalAveragePooling1D(), layers.Dense(1)]
)
rng = np.random.default_rng(32)
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
model.compile(loss=tf.keras.losses.BinaryCrossentropy(from_logits=True), optimizer="sgd")
history = model.fit(train_ds, epochs=3, verbose=0)

chars = sorted(set("".join(seen)))
ids_from_chars = layers.StringLookup(vocabulary=chars, mask_token=None)
chars_from_ids = layers.StringLookup(vocabulary=ids_from_chars.get_vocabulary(), invert=True, mask_token=None)
ids = ids_from_chars(tf.strings.unicode_split(["a film", "caf\u00e9"], input_encoding="UTF-8")[0])
back = tf.strings.reduce_join(chars_from_ids(ids), axis=-1).numpy().decode("utf-8")
lengths = raw_train_ds.unbatch().map(lambda text, label: tf.strings.length(text))
print(
    json.dumps(
        {
            "seen": seen,
            "vocabulary": [str(word) for word in vectorize_layer.get_vocabulary()],
            "first": next(iter(train_ds))[0].numpy().tolist(),
            "loss": history.history["loss"],
            "ids": ids.numpy().tolist(),
            "back": back,
            "longest": int(lengths.reduce(np.int32(0), lambda longest, n: tf.maximum(longest, n))),
            "positive": len(list(raw_train_ds.unbatch().filter(lambda text, label: label == 1).as_numpy_iterator())),
        }
    )
)
