"""An autoencoder of pictures: down by pooling, up by UpSampling2D."""

import json

import numpy as np
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, Flatten, MaxPooling2D, Reshape, UpSampling2D
from keras.models import Sequential

rng = np.random.default_rng(11)
x = rng.random((32, 8, 8, 1)).astype("float32")

autoencoder = Sequential()
autoencoder.add(Conv2D(4, kernel_size=3, padding="same", input_shape=(8, 8, 1), activation="relu"))
autoencoder.add(MaxPooling2D(pool_size=2, padding="same"))
autoencoder.add(Flatten())
autoencoder.add(Dense(16))
autoencoder.add(BatchNormalization())
autoencoder.add(Activation("relu"))
autoencoder.add(Dense(4 * 4 * 2))
autoencoder.add(Reshape((4, 4, 2)))
autoencoder.add(UpSampling2D())
autoencoder.add(Conv2D(1, kernel_size=3, padding="same", activation="sigmoid"))
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
for layer in autoencoder.layers:
    if not isinstance(layer, BatchNormalization):
        layer.set_weights([rng.uniform(-0.3, 0.3, w.shape) for w in layer.get_weights()])

history = autoencoder.fit(x, x, epochs=3, batch_size=8, validation_data=(x[:8], x[:8]), shuffle=False, verbose=0)
images = autoencoder.predict(x[:2], verbose=0)

print(
    json.dumps(
        {
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "shape": images.shape,
            "image": images[0, :, :, 0].tolist(),
        }
    )
)
