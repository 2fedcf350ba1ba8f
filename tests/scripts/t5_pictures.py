"""Pictures in folders, squares and circles, through ImageDataGenerator into a small convnet."""

import json
import os

import numpy as np
from tensorflow.keras import layers, models
from tensorflow.keras.preprocessing import image
from tensorflow.keras.preprocessing.image import ImageDataGenerator

rng = np.random.default_rng(31)
rows, columns = np.mgrid[:20, :20]
for part, count in (("train", 12), ("validation", 4)):
    for shape in ("circles", "squares"):
        folder = os.path.join("shapes", part, shape)
        os.makedirs(folder)
        for i in range(count):
            r, c, radius = rng.integers(7, 13), rng.integers(7, 13), rng.integers(4, 7)
            across = (
                np.hypot(rows - r, columns - c) if shape == "circles" else np.maximum(abs(rows - r), abs(columns - c))
            )
            picture = np.full((20, 20, 3), 30, "uint8")
            picture[across <= radius] = rng.integers(120, 256, 3)
            image.save_img(os.path.join(folder, f"{shape}{i:02d}.png"), picture, scale=False)

train_datagen = ImageDataGenerator(
    rescale=1.0 / 255,
    rotation_range=40,
    width_shift_range=0.1,
    height_shift_range=0.1,
    shear_range=0.2,
    zoom_range=0.2,
    horizontal_flip=True,
    fill_mode="nearest",
)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)

train_generator = train_datagen.flow_from_directory(
    "shapes/train", target_size=(16, 16), batch_size=8, class_mode="binary", seed=7
)
validation_generator = test_datagen.flow_from_directory(
    "shapes/validation", target_size=(16, 16), batch_size=8, class_mode="binary", shuffle=False
)
x_val, y_val = next(validation_generator)  # all of it
for data_batch, labels_batch in train_generator:
    print("data batch shape:", data_batch.shape)
    print("labels batch shape:", labels_batch.shape)
    break

model = models.Sequential()
model.add(layers.Conv2D(4, (3, 3), activation="relu", input_shape=(16, 16, 3)))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(8, (3, 3), activation="relu"))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Flatten())
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.set_weights([rng.uniform(-0.3, 0.3, w.shape) for w in model.get_weights()])

history = model.fit(
    train_generator,
    steps_per_epoch=3,
    epochs=3,
    validation_data=(x_val, y_val),
    shuffle=False,
    verbose=0,
)

path = os.path.join("shapes", "train", "squares", train_generator.filenames[-1].split(os.sep)[-1])
img = image.load_img(path, target_size=(16, 16))
x = image.img_to_array(img)
x = np.expand_dims(x, axis=0)
np.random.seed(7)
augmented = []
for batch in train_datagen.flow(x, batch_size=1):
    augmented.append(float(batch.mean()))
    if len(augmented) == 4:
        break

print(
    json.dumps(
        {
            "class_indices": train_generator.class_indices,
            "filenames": train_generator.filenames[:2],
            "classes": validation_generator.classes.tolist(),
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "score": model.evaluate(validation_generator, verbose=0),
            "predictions": model.predict(validation_generator, verbose=0).ravel().tolist(),
            "augmented": augmented,
        }
    )
)
