"""Pictures of a folder as datasets, split in two, through layers that resize, turn and scale them into a convnet."""

import json
import os

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(32)
rows, columns = np.mgrid[:24, :20]
for slope in ("falling", "rising"):
    folder = os.path.join("lines", slope)
    os.makedirs(folder)
    for i in range(15):
        place = columns if slope == "falling" else 19 - columns
        picture = np.full((24, 20, 3), rng.integers(0, 60), "uint8")
        picture[abs(rows - place - rng.integers(-3, 8)) < 3] = rng.integers(150, 256, 3)
        keras.utils.save_img(os.path.join(folder, f"{i:02d}.png"), picture, scale=False)

train_ds = keras.utils.image_dataset_from_directory(
    "lines", validation_split=0.2, subset="training", seed=123, image_size=(20, 16), batch_size=8
)
val_ds = keras.utils.image_dataset_from_directory(
    "lines", validation_split=0.2, subset="validation", seed=123, image_size=(20, 16), batch_size=6
)
x_train = np.concatenate([x for x, y in train_ds])
names = [os.path.join(*path.split(os.sep)[-2:]) for path in train_ds.file_paths]

data_augmentation = keras.Sequential(
    [
        layers.RandomRotation((0.04, 0.04), fill_mode="nearest"),
        layers.RandomZoom((-0.1, -0.1)),
        layers.RandomTranslation((0.1, 0.1), (0.0, 0.0), fill_mode="constant"),
    ]
)
model = keras.Sequential(
    [
        keras.Input((20, 16, 3)),
        data_augmentation,
        layers.Rescaling(1.0 / 255),
        layers.Resizing(12, 12),
        layers.CenterCrop(10, 12),
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(len(train_ds.class_names)),
    ]
)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
model.set_weights([rng.uniform(-0.3, 0.3, w.shape) for w in model.get_weights()])

ordered = keras.utils.image_dataset_from_directory("lines", image_size=(20, 16), shuffle=False, verbose=False)
history = model.fit(ordered, validation_data=val_ds, epochs=3, verbose=0)
for images, labels in ordered.take(1):
    shown, answers = data_augmentation(images), labels

print(
    json.dumps(
        {
            "class_names": train_ds.class_names,
            "names": names[:5],
            "pixels": float(np.sort(x_train, axis=0).mean()),
            "shown": [float(np.asarray(shown)[i].mean()) for i in range(3)],
            "labels": np.asarray(answers).tolist(),
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "val_accuracy": history.history["val_accuracy"],
            "predictions": model.predict(ordered, verbose=0)[::7].tolist(),
        }
    )
)
