"""tf.data and TextVectorization: batches of a data set, words to ids inside the model's pipeline."""

import json

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

texts = ["the film was great", "the film was dull", "a great great plot", "dull, dull and long", "fun", "long film"]
labels = np.array([1, 0, 1, 0, 1, 0], dtype="float32")

vectorize = layers.TextVectorization(max_tokens=20, output_mode="int", output_sequence_length=5)
vectorize.adapt(texts)
ids = np.array(vectorize(np.array(texts)))
print(vectorize.get_vocabulary())

train_ds = tf.data.Dataset.from_tensor_slices((ids, labels)).batch(2).prefetch(tf.data.AUTOTUNE)
for batch_x, batch_y in train_ds.take(1):
    print(batch_x.shape, batch_y.numpy())

model = tf.keras.Sequential(
    [layers.Input((5,)), layers.Embedding(20, 4), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
)
rng = np.random.default_rng(28)
model.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])
model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
history = model.fit(train_ds, epochs=3, validation_data=train_ds, verbose=0)

doubled = tf.data.Dataset.from_tensor_slices(np.arange(6)).map(lambda i: i * 2).repeat(2).batch(5)
print(
    json.dumps(
        {
            "vocabulary": [str(word) for word in vectorize.get_vocabulary()],
            "ids": ids.tolist(),
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "evaluate": model.evaluate(train_ds, verbose=0),
            "batch": [batch_x.numpy().tolist(), batch_y.numpy().tolist()],
            "doubled": [batch.numpy().tolist() for batch in doubled],
        }
    )
)
