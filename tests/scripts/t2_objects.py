"""Losses, metrics and optimizers as objects; logits; clone_model; layers that are called on arrays."""

import json

import numpy as np
from tensorflow import keras

rng = np.random.default_rng(20)
X = rng.normal(size=(60, 5)).astype("float32")
y = X[:, :3].argmax(axis=1)

normalizer = keras.layers.Normalization()
normalizer.adapt(X)
model = keras.models.Sequential(
    [
        keras.layers.Input(shape=[5]),
        normalizer,
        keras.layers.Dense(10, activation=keras.activations.elu, kernel_regularizer=keras.regularizers.l2(1e-3)),
        keras.layers.Dense(3, bias_initializer=keras.initializers.Zeros()),
    ]
)
schedule = keras.optimizers.schedules.ExponentialDecay(0.02, decay_steps=10, decay_rate=0.5)
for layer in model.layers[1:]:
    layer.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in layer.get_weights()])

model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=keras.optimizers.Adam(learning_rate=schedule, clipnorm=1.0),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc"), keras.metrics.SparseTopKCategoricalAccuracy(k=2)],
)
history = model.fit(X, y, epochs=3, batch_size=20, shuffle=False, verbose=0, sample_weight=np.linspace(0.5, 1.5, 60))

# A binary one, with metrics that count and rank.
binary = keras.models.Sequential([keras.layers.Input([5]), keras.layers.Dense(1, activation="sigmoid")])
binary.compile(
    loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1),
    optimizer=keras.optimizers.SGD(0.5, momentum=0.9, nesterov=True),
    metrics=[
        keras.metrics.AUC(name="auc"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
    ],
)
binary.set_weights([rng.uniform(-0.5, 0.5, w.shape) for w in binary.get_weights()])
twin = keras.models.clone_model(binary)
twin.set_weights(binary.get_weights())
binary.fit(X, y > 0, epochs=3, batch_size=20, shuffle=False, verbose=0)

mse = keras.losses.MeanSquaredError()
huber = keras.losses.Huber()(np.array([[1.0], [3.0]]), np.array([[1.5], [0.0]]))
print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "acc": history.history["acc"],
            "evaluate": model.evaluate(X, y, verbose=0, return_dict=True),
            "binary": binary.evaluate(X, (y > 0).astype("float32"), verbose=0),
            "twin": twin.predict(X[:2], verbose=0).tolist(),
            "mse": float(mse([[0.0, 1.0]], [[0.5, 0.0]])),
            "huber": float(huber),
            "called": np.array(model(X[:2])).tolist(),
        }
    )
)
