"""Rows of a table with words and numbers in them: each column is prepared by a layer inside the model."""

import json

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

rng = np.random.default_rng(31)
n = 48
table = {
    "age": rng.integers(20, 80, n),
    "pressure": rng.normal(130, 15, n).round(1),
    "chest_pain": rng.integers(1, 5, n),
    "thal": rng.choice(["normal", "fixed", "reversible"], n),
}
target = ((table["age"] > 50) & (table["thal"] != "normal")).astype("float32")


def dataframe_to_dataset(rows):
    features = {name: column[rows] for name, column in table.items()}
    return tf.data.Dataset.from_tensor_slices((features, target[rows])).batch(8)


train_ds, val_ds = dataframe_to_dataset(slice(0, 40)), dataframe_to_dataset(slice(40, None))


def encode_numerical_feature(feature, name, dataset):
    normalizer = layers.Normalization()
    normalizer.adapt(dataset.map(lambda x, y: tf.expand_dims(x[name], -1)))
    return normalizer(feature)


def encode_categorical_feature(feature, name, dataset, is_string):
    lookup = (layers.StringLookup if is_string else layers.IntegerLookup)(output_mode="binary")
    lookup.adapt(dataset.map(lambda x, y: x[name]).map(lambda x: tf.expand_dims(x, -1)))
    print(name, lookup.get_vocabulary())
    return lookup(feature)


age = tf.keras.Input(shape=(1,), name="age", dtype="int64")
pressure = tf.keras.Input(shape=(1,), name="pressure")
chest_pain = tf.keras.Input(shape=(1,), name="chest_pain", dtype="int64")
thal = tf.keras.Input(shape=(1,), name="thal", dtype="string")
index = layers.StringLookup(max_tokens=5)
index.adapt(table["thal"])
by_age = layers.Discretization(bin_boundaries=[30.0, 45.0, 60.0], output_mode="one_hot")
all_features = layers.concatenate(
    [
        by_age(age),
        encode_numerical_feature(pressure, "pressure", train_ds),
        encode_categorical_feature(chest_pain, "chest_pain", train_ds, False),
        encode_categorical_feature(thal, "thal", train_ds, True),
        layers.CategoryEncoding(num_tokens=index.vocabulary_size())(index(thal)),
        layers.CategoryEncoding(num_tokens=6, output_mode="one_hot")(layers.Hashing(num_bins=6)(thal)),
    ]
)
x = layers.Dense(8, activation="relu")(all_features)
model = tf.keras.Model([age, pressure, chest_pain, thal], layers.Dense(1, activation="sigmoid")(x))
for layer in model.layers:
    if isinstance(layer, layers.Dense):
        layer.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in layer.get_weights()])
model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
history = model.fit(train_ds, epochs=3, validation_data=val_ds, verbose=0)

sample = {"age": 60, "pressure": 145.0, "chest_pain": 1, "thal": "fixed"}
input_dict = {name: tf.convert_to_tensor([[value]]) for name, value in sample.items()}
print(
    json.dumps(
        {
            "thal": [str(word) for word in index.get_vocabulary()],
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "evaluate": model.evaluate(val_ds, verbose=0),
            "sample": model.predict(input_dict, verbose=0).tolist(),
        }
    )
)
