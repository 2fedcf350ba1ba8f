"""keras.preprocessing.image: what is drawn, changed, measured, read and listed, by itself and as Keras has it."""

import builtins
import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from live import keras_module, needs_tensorflow
from running import run

import fastkeras as keras
from fastkeras.preprocessing.image import (
    ImageDataGenerator,
    Iterator,
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    array_to_img,
    img_to_array,
    load_img,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
    save_img,
    smart_resize,
)
from fastkeras.utils import image_dataset_from_directory

EVERYTHING = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": [-2, 1, 3],
    "shear_range": 20.0,
    "zoom_range": 0.3,
    "channel_shift_range": 30.0,
    "brightness_range": (0.5, 1.5),
    "horizontal_flip": True,
    "vertical_flip": True,
    "fill_mode": "reflect",
    "rescale": 1 / 255,
}
READY = [
    {"samplewise_center": True, "samplewise_std_normalization": True, "rescale": 0.5},
    {"featurewise_center": True, "featurewise_std_normalization": True},
    {"zca_whitening": True, "featurewise_center": True, "zca_epsilon": 1e-2},
    {"preprocessing_function": lambda x: x[::-1] + 1, "rescale": 2.0},
]


def photos(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype("float32")


@pytest.fixture
def folder(tmp_path):
    """Three classes of 5, 3 and 7 PNG pictures, one of them in a folder within, one not square, and another file."""
    for name, count in (("oak", 5), ("ash", 3), ("elm", 7)):
        (tmp_path / name / "old").mkdir(parents=True)
        for i in range(count):
            place = tmp_path / name / ("old" if i == 1 else ".") / f"{name}{i}.PNG"
            save_img(place, photos(6, 9 if i == 2 else 6, 3, seed=count * 10 + i), scale=False, file_format="png")
    (tmp_path / "ash" / "notes.txt").write_text("no picture")
    return tmp_path


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_picture_comes_back_from_a_file(tmp_path):
    x = photos(5, 7, 3)
    path = tmp_path / "photo.png"
    save_img(path, x, scale=False)
    for source in (path, str(path), str(path).encode(), io.BytesIO(path.read_bytes())):
        assert np.array_equal(img_to_array(load_img(source)), x)
    first = img_to_array(load_img(path), data_format="channels_first", dtype="uint8")
    assert first.dtype == np.uint8 and np.array_equal(first.transpose(1, 2, 0), x)
    assert img_to_array(load_img(path, color_mode="grayscale")).shape == (5, 7, 1)
    assert img_to_array(load_img(path, grayscale=True, target_size=(3, 2))).shape == (3, 2, 1)
    assert np.array_equal(img_to_array(load_img(path, color_mode="rgba"))[..., 3], np.full((5, 7), 255.0))
    assert keras.utils.load_img is load_img


def test_wide_pictures_keep_their_middle(tmp_path):
    x = np.zeros((4, 10, 1), "float32")
    x[:, 3:7] = 200
    save_img(tmp_path / "band.png", x, scale=False)
    cut = load_img(tmp_path / "band.png", "grayscale", (2, 2), keep_aspect_ratio=True)
    assert np.array_equal(img_to_array(cut), np.full((2, 2, 1), 200.0))


def test_arrays_become_pictures():
    x = photos(4, 5, 3)
    assert np.array_equal(img_to_array(array_to_img(x, scale=False)), x)
    stretched = img_to_array(array_to_img(np.array([[[-1.0], [0.0], [3.0]]])))
    assert stretched.ravel().tolist() == [0, 63, 255]
    assert img_to_array(array_to_img(np.zeros((2, 2, 4)))).shape == (2, 2, 4)
    assert np.array_equal(img_to_array(array_to_img(x.transpose(2, 0, 1), "channels_first", scale=False)), x)
    deep = np.full((2, 2, 1), 70_000.0)
    assert np.array_equal(img_to_array(array_to_img(deep, scale=False)), deep)


def test_jpeg_has_no_fourth_channel(tmp_path):
    with pytest.warns(UserWarning, match="JPEG"):
        save_img(tmp_path / "photo.jpg", photos(8, 8, 4), file_format="jpeg")
    assert load_img(tmp_path / "photo.jpg").size == (8, 8)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: array_to_img(np.zeros((2, 2))), r"rank 3\. Received: shape \(2, 2\)"),
        (lambda: array_to_img(np.zeros((2, 2, 2))), "1, 3 or 4 channels. Received: 2"),
        (lambda: img_to_array(np.zeros(3)), "2 or 3 axes"),
        (lambda: img_to_array(np.zeros((2, 2)), "first"), "`data_format`"),
        (lambda: ImageDataGenerator(fill_mode="mirror"), "fill_mode"),
        (lambda: ImageDataGenerator(validation_split=1.5), "`validation_split`"),
        (lambda: ImageDataGenerator(zoom_range=(1, 2, 3)), "`zoom_range`"),
        (lambda: ImageDataGenerator(brightness_range=0.5), "`brightness_range`"),
        (lambda: ImageDataGenerator().fit(np.zeros((2, 2))), r"rank 4\. Received: shape \(2, 2\)"),
        (lambda: ImageDataGenerator().flow(np.zeros((2, 2))), "rank 4"),
        (lambda: ImageDataGenerator().flow(photos(3, 4, 4, 1), [1, 2]), r"`y` must have 3 rows.*\{2\}"),
        (lambda: ImageDataGenerator().flow(photos(3, 4, 4, 1), subset="test"), "Unknown subset"),
        (lambda: apply_affine_transform(photos(4, 4, 3), theta=1, channel_axis=1, row_axis=0), "channels first or"),
    ],
)
def test_errors_say_what_was_expected(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_a_file_that_is_none():
    with pytest.raises(TypeError, match="Received: 3"):
        load_img(3)


@pytest.mark.parametrize(
    ("package", "call"),
    [
        ("PIL", lambda: array_to_img(np.zeros((2, 2, 1)))),
        ("PIL", lambda: load_img("photo.png")),
        ("scipy", lambda: apply_affine_transform(np.zeros((3, 2, 2)), theta=9)),
    ],
)
def test_the_extra_is_named_where_it_is_missing(package, call, monkeypatch):
    there = importlib.import_module

    def missing(name, *rest):
        if name.partition(".")[0] == package:
            raise ImportError(f"No module named {name!r}")
        return there(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=rf"pip install 'fastkeras\[images\]'\. Received: No module named '{package}"):
        call()


# --- one picture -----------------------------------------------------------------------------------------------------


def test_what_is_not_asked_for_is_not_done():
    x = photos(5, 5, 3)
    generator = ImageDataGenerator()
    assert generator.random_transform(x) is x
    assert np.array_equal(generator.standardize(x.copy()), x)


def test_whole_turns_flips_and_shifts():
    x, generator = photos(5, 5, 2), ImageDataGenerator(fill_mode="constant", cval=7)
    turned = ImageDataGenerator().apply_transform(x, {"theta": 180})
    assert np.allclose(turned, x[::-1, ::-1], atol=1e-3)
    assert np.array_equal(generator.apply_transform(x, {"flip_horizontal": True}), x[:, ::-1])
    assert np.array_equal(generator.apply_transform(x, {"flip_vertical": True}), x[::-1])
    shifted = generator.apply_transform(x, {"ty": 2})
    assert np.array_equal(shifted[:3], x[2:]) and (shifted[3:] == 7).all()
    assert apply_channel_shift(x, 300.0, 2).min() == x.max()
    assert np.array_equal(apply_brightness_shift(np.full((2, 2, 1), 100.0), 0.5, scale=False), np.full((2, 2, 1), 50.0))


def test_pictures_are_made_ready_in_place():
    x = photos(4, 3, 3, 1)
    assert ImageDataGenerator(rescale=0.5).standardize(x) is x
    generator = ImageDataGenerator(featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="before fit"):
        generator.standardize(x)
    generator.fit(x)
    ready = generator.standardize(x.copy())
    assert abs(ready.mean()) < 1e-5 and abs(ready.std() - 1) < 1e-5


def test_whitened_pictures_are_uncorrelated():
    x = photos(40, 2, 2, 1)
    generator = ImageDataGenerator(zca_whitening=True)
    generator.fit(x)
    white = generator.standardize(x.copy()).reshape(40, -1)
    assert np.allclose(white.T @ white / 40, np.eye(4), atol=1e-3)


# --- batches ---------------------------------------------------------------------------------------------------------


def test_batches_of_arrays():
    x, y = photos(7, 4, 4, 1), np.arange(7)
    flow = ImageDataGenerator(rescale=2.0).flow(x, y, batch_size=3, shuffle=False, sample_weight=y * 0.5)
    assert (len(flow), flow.n, flow.batch_size) == (3, 7, 3)
    sizes = [len(next(flow)[1]) for _ in range(5)]
    assert sizes == [3, 3, 1, 3, 3]
    flow.reset()
    pictures, labels, weights = flow.next()
    assert np.array_equal(pictures, x[:3] * 2) and labels.tolist() == [0, 1, 2] and weights.tolist() == [0, 0.5, 1]
    assert flow[2][1].tolist() == [6]
    with pytest.raises(IndexError, match=r"has 3 batches\. Received: index 3"):
        flow[3]
    mixed = ImageDataGenerator().flow((x, [y, -y]), batch_size=4, shuffle=True, seed=3)
    seen = np.concatenate([mixed[i][1] for i in range(2)])
    assert sorted(seen) == list(range(7)) and seen.tolist() != list(range(7))
    assert np.array_equal(mixed[1][0], x[mixed[1][1]]) and np.array_equal(mixed[1][2], -mixed[1][1])
    with pytest.raises(ValueError, match="no samples"):
        next(ImageDataGenerator().flow(x[:0]))


def test_the_first_samples_are_for_validation():
    x, y = photos(10, 3, 3, 1), np.arange(10) % 2
    generator = ImageDataGenerator(validation_split=0.4)
    for subset, rows in (("validation", slice(0, 4)), ("training", slice(4, 10))):
        flow = generator.flow(x, y, batch_size=10, shuffle=False, subset=subset)
        assert np.array_equal(flow[0][0], x[rows]) and np.array_equal(flow[0][1], y[rows])
    with pytest.raises(ValueError, match="other classes"):
        generator.flow(x, np.arange(10), subset="training")
    assert len(generator.flow(x, np.arange(10), subset="training", ignore_class_split=True).x) == 6


def test_channels_that_are_none():
    with pytest.warns(UserWarning, match=r"1, 3 or 4 channels, the last axis. Received: shape \(2, 3, 3, 5\)"):
        ImageDataGenerator().flow(photos(2, 3, 3, 5))


def test_batches_of_a_folder(folder, capsys):
    flow = ImageDataGenerator().flow_from_directory(folder, (6, 6), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 15 images belonging to 3 classes.\n"
    assert flow.class_indices == {"ash": 0, "elm": 1, "oak": 2} and flow.num_classes == 3
    assert flow.classes.tolist() == [0] * 3 + [1] * 7 + [2] * 5
    assert flow.filenames[:3] == ["ash/ash0.PNG", "ash/ash2.PNG", "ash/old/ash1.PNG"]
    assert (flow.samples, flow.n, len(flow)) == (15, 15, 4)
    x, y = flow[0]
    assert x.shape == (4, 6, 6, 3) and np.array_equal(x[0], photos(6, 6, 3, seed=30))
    assert y.tolist() == [[1, 0, 0]] * 3 + [[0, 1, 0]]
    modes = {"binary": 1, "sparse": 1, "input": 4, None: 0}
    for mode, rank in modes.items():
        flow = ImageDataGenerator().flow_from_directory(folder, (4, 4), class_mode=mode, classes=["oak", "ash"])
        assert flow.class_indices == {"oak": 0, "ash": 1} and flow.n == 8
        assert (flow[0][1].ndim if rank else flow[0].ndim - 4) == rank
    with pytest.raises(ValueError, match=r"`class_mode` must be one of .*\. Received: 'int'"):
        ImageDataGenerator().flow_from_directory(folder, class_mode="int")


def test_changed_pictures_are_kept_where_one_can_see_them(folder, tmp_path):
    (tmp_path / "seen").mkdir()
    options = {"save_to_dir": tmp_path / "seen", "save_prefix": "tree", "save_format": "jpeg"}
    ImageDataGenerator().flow_from_directory(folder, (5, 5), classes=["ash"], batch_size=2, **options)[0]
    ImageDataGenerator().flow(photos(1, 5, 5, 3), **options)[0]
    assert sorted(path.name.split("_")[0] + path.suffix for path in (tmp_path / "seen").iterdir()) == ["tree.jpeg"] * 3


TABLE = {
    "file": ["ash/ash0.PNG", "oak/oak0.PNG", "oak/none.PNG", "elm/elm0.PNG", "elm/elm4.PNG"],
    "tree": ["ash", "oak", "oak", "elm", "elm"],
    "several": [["old", "ash"], ["oak"], ["oak"], ["elm", "old"], "elm"],
    "height": [1.0, 2.0, 3.0, 4.0, 5.0],
    "weight": [0.1, 0.2, 0.3, 0.4, 0.5],
}


def test_batches_of_a_table(folder, capsys):
    def flow(**options):
        generator = ImageDataGenerator(validation_split=0.5)
        with pytest.warns(UserWarning, match="'file' names 1 files that are no pictures"):
            return generator.flow_from_dataframe(
                TABLE, folder, x_col="file", target_size=(6, 6), shuffle=False, **options
            )

    found = flow(y_col="tree", weight_col="weight")
    assert capsys.readouterr().out == "Found 4 validated image filenames belonging to 3 classes.\n"
    assert found.class_indices == {"ash": 0, "elm": 1, "oak": 2}
    x, y, weights = found[0]
    assert np.array_equal(x[0], photos(6, 6, 3, seed=30))
    assert y.argmax(1).tolist() == [0, 2, 1, 1] and weights.tolist() == [0.1, 0.2, 0.4, 0.5]
    assert flow(y_col="several")[0][1].tolist() == [[1, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 1], [0, 1, 0, 0]]
    assert flow(y_col="tree", classes=["oak", "elm"], class_mode="binary")[0][1].tolist() == [0, 1, 1]
    assert flow(y_col="height", class_mode="raw", subset="training")[0][1].tolist() == [4, 5]
    both = flow(y_col=["height", "weight"], class_mode="multi_output", subset="validation")[0][1]
    assert [part.tolist() for part in both] == [[1, 2], [0.1, 0.2]]
    assert flow(class_mode=None)[0].shape == (4, 6, 6, 3)
    for error, options in (
        (TypeError, {"y_col": "height"}),
        (ValueError, {"y_col": "tree", "class_mode": "binary"}),
    ):
        with pytest.raises(error, match="Received"):
            flow(**options)


def test_a_model_trains_on_pictures(folder):
    generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
    train = generator.flow_from_directory(folder, (6, 6), batch_size=4, shuffle=False)
    model = keras.Sequential([keras.layers.Flatten(input_shape=(6, 6, 3)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(train, steps_per_epoch=15 / 6, epochs=2, validation_data=train, verbose=0)
    assert len(history.history["val_loss"]) == 2 and model.optimizer.iterations == 2 * 3
    test = ImageDataGenerator(rescale=1 / 255).flow_from_directory(folder, (6, 6), batch_size=4, shuffle=False)
    x = np.concatenate([test[i][0] for i in range(len(test))])
    assert np.array_equal(
        model.predict(test, verbose=0), np.concatenate([model.predict(test[i][0], verbose=0) for i in range(4)])
    )
    assert np.allclose(
        model.evaluate(test, verbose=0), model.evaluate(x, np.eye(3)[test.classes], verbose=0), atol=1e-5
    )


def test_pictures_and_masks_go_together():
    """Two generators with one seed change both alike, the way segmentation is taught."""
    x = photos(6, 8, 8, 1)
    flows = [ImageDataGenerator(**{**EVERYTHING, "brightness_range": None}).flow(x, batch_size=2, seed=5) for _ in "xy"]
    for pictures, masks, _ in zip(*flows, range(5), strict=False):
        assert np.array_equal(pictures, masks)


def test_an_iterator_of_ones_own():
    class Numbers(Iterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return index_array * 10

    assert next(Numbers(3, 2, False, None)).tolist() == [0, 10]
    with pytest.raises(NotImplementedError, match="_get_batches_of_transformed_samples"):
        next(Iterator(3, 2, False, None))


PLACES = """
import keras
from keras.legacy.preprocessing.image import ImageDataGenerator as legacy
from keras_preprocessing.image import ImageDataGenerator as old
from keras.preprocessing.image import ImageDataGenerator
from tensorflow.keras.preprocessing.image import load_img
from tensorflow.keras.utils import img_to_array
from tensorflow.keras.layers.experimental.preprocessing import RandomFlip
print(RandomFlip is keras.layers.RandomFlip, keras.preprocessing.image_dataset_from_directory is not None)
print(ImageDataGenerator is old is legacy, keras.preprocessing.image.load_img is keras.utils.load_img is load_img)
"""


def test_the_places_where_scripts_look(tmp_path):
    done = run(tmp_path, PLACES)
    assert done.stdout == "True True\nTrue True\n"
    assert done.stderr.splitlines() == [
        f"script.py:{line}: {place}.image.ImageDataGenerator is keras.preprocessing.image.ImageDataGenerator now."
        for line, place in ((3, "keras.legacy.preprocessing"), (4, "keras_preprocessing"))
    ] + ["script.py:8: tensorflow.keras.layers.experimental.preprocessing.RandomFlip is keras.layers.RandomFlip now."]


# --- datasets --------------------------------------------------------------------------------------------------------


def pixels(dataset):
    return np.concatenate([np.asarray(x) for x, _ in dataset])


def test_a_dataset_of_a_folder(folder, capsys):
    read = image_dataset_from_directory
    whole = read(folder, batch_size=4, image_size=(6, 6), shuffle=False)
    assert capsys.readouterr().out == "Found 15 files belonging to 3 classes.\n"
    assert whole.class_names == ["ash", "elm", "oak"] and len(whole) == 4 and len(whole.file_paths) == 15
    x, y = next(iter(whole))
    assert x.shape == (4, 6, 6, 3) and y.numpy().tolist() == [0, 0, 0, 1]
    assert np.array_equal(x[0], photos(6, 6, 3, seed=30))
    both = read(folder, image_size=5, seed=3, validation_split=0.3, subset="both", label_mode="categorical")
    assert capsys.readouterr().out.splitlines()[1:] == ["Using 11 files for training.", "Using 4 files for validation."]
    for dataset, subset in zip(both, ("training", "validation"), strict=True):
        same = read(folder, image_size=5, seed=3, validation_split=0.3, subset=subset, label_mode="categorical")
        assert same.file_paths == dataset.file_paths
    assert sorted(both[0].file_paths + both[1].file_paths) == sorted(whole.file_paths)
    paths = [Path(path).parts[len(folder.parts)] for path in both[1].file_paths]
    (x, y), *_ = both[1]
    assert [both[1].class_names[i] for i in np.asarray(y).argmax(1)] == paths
    assert not np.array_equal(pixels(both[0]), pixels(both[0]))  # in another order each time
    alone = read(folder, batch_size=None, image_size=(4, 8), labels=None, data_format="channels_first")
    assert next(iter(alone)).shape == (3, 4, 8) and alone.class_names is None
    numbered = read(folder, image_size=3, labels=list(range(2)) * 7 + [1], label_mode="binary", shuffle=False)
    assert next(iter(numbered))[1].numpy().ravel().tolist() == [0, 1] * 7 + [1] and numbered.class_names == ["0", "1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"label_mode": "binary"}, "label_mode='binary' is for two classes. Received: .*'ash', 'elm', 'oak'"),
        ({"label_mode": "one_hot"}, "`label_mode`"),
        ({"labels": [1, 2]}, "`labels` must have a label for each of the 15 files. Received: 2 labels"),
        ({"labels": None, "class_names": ["oak"]}, "`class_names` are folders"),
        ({"class_names": ["fir"]}, "names of folders, .'ash', 'elm', 'oak'.. Received: .'fir'"),
        ({"subset": "training"}, "`validation_split` and `subset`"),
        ({"validation_split": 0.2, "subset": "training"}, "the same `seed`"),
        ({"validation_split": 2, "subset": "training", "seed": 1}, "between 0 and 1"),
        ({"color_mode": "gray"}, "Unknown color_mode"),
        ({"interpolation": "area"}, "Unknown interpolation"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "either cropped or padded"),
    ],
)
def test_errors_of_datasets(folder, arguments, said):
    with pytest.raises(ValueError, match=said):
        image_dataset_from_directory(folder, **arguments)


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(ValueError, match=r"files \*\.bmp, .* in the folder\. Received: '"):
        image_dataset_from_directory(tmp_path)


def test_a_model_trains_on_a_dataset(folder):
    dataset = image_dataset_from_directory(folder, image_size=(6, 6), batch_size=5, seed=1)
    model = keras.Sequential([keras.layers.Flatten(input_shape=(6, 6, 3)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    assert len(model.fit(dataset, epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(dataset, verbose=0).shape == (15, 3)


# --- as Keras has it -------------------------------------------------------------------------------------------------


TABLED = 0.3  # of 255: TensorFlow reads its cubic, of pictures that are not averaged, from a table of 1024 values


@pytest.fixture(scope="module")
def theirs():
    keras_module("tf_keras")
    return importlib.import_module("tf_keras.preprocessing.image")


@needs_tensorflow
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_same_draws_and_changes(theirs, data_format):
    shape = (9, 7, 3) if data_format == "channels_last" else (3, 9, 7)
    options = {**EVERYTHING, "data_format": data_format}
    if data_format == "channels_first":
        options["brightness_range"] = None  # which tf_keras takes with channels last alone
    for fill_mode in ("nearest", "reflect", "wrap", "constant"):
        ours, other = (
            k.ImageDataGenerator(**{**options, "fill_mode": fill_mode}) for k in (keras.preprocessing.image, theirs)
        )
        for seed in range(4):
            assert ours.get_random_transform(shape, seed) == other.get_random_transform(shape, seed)
            want = other.random_transform(photos(*shape), seed)
            found = ours.random_transform(photos(*shape), seed)
            assert found.dtype == want.dtype and np.array_equal(found, want)
    for options in ({"width_shift_range": 3}, {"height_shift_range": 3.0}, {"zoom_range": [0.5, 2.0]}, {"cval": 9.0}):
        ours, other = ImageDataGenerator(**options), theirs.ImageDataGenerator(**options)
        assert ours.get_random_transform(shape, 1) == other.get_random_transform(shape, 1)


@needs_tensorflow
def test_the_same_functions(theirs):
    x, axes = photos(6, 6, 3), {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    for ours, arguments, options in (
        (random_rotation, [30], axes),
        (random_shift, [0.2, 0.3], axes),
        (random_shear, [20], {**axes, "fill_mode": "wrap"}),
        (random_zoom, [(0.5, 1.5)], {**axes, "interpolation_order": 3}),
        (random_channel_shift, [20.0], {"channel_axis": 2}),
        (random_brightness, [(0.2, 2.0)], {}),
        (apply_brightness_shift, [1.3, False], {}),
    ):
        results = []
        for function in (ours, getattr(theirs, ours.__name__)):
            np.random.seed(4)
            results.append(function(x - 20, *arguments, **options))
        assert np.allclose(*results, atol=1e-4), ours.__name__
    wide = photos(2, 6, 11, 3)
    for x, interpolation in ((wide, "bicubic"), (wide[0], "nearest")):
        found, want = (resize(x, (4, 5), interpolation) for resize in (smart_resize, theirs.smart_resize))
        assert type(found) is np.ndarray and found.dtype == want.dtype and np.allclose(found, want, atol=TABLED)


@needs_tensorflow
@pytest.mark.filterwarnings("ignore:This ImageDataGenerator")
@pytest.mark.parametrize("options", READY)
def test_the_same_pictures_made_ready(theirs, options):
    x = photos(11, 3, 4, 3)
    results = []
    for module in (keras.preprocessing.image, theirs):
        generator = module.ImageDataGenerator(**options, horizontal_flip=True)
        generator.fit(x, augment=True, rounds=2, seed=3)
        results.append([generator.standardize(x.copy()), generator.mean, generator.std])
    for found, want in zip(*results, strict=True):
        assert (found is None) == (want is None)
        assert want is None or (found.shape == want.shape and np.allclose(found, want, rtol=1e-4, atol=1e-4))


@needs_tensorflow
def test_the_same_batches(theirs, folder, monkeypatch):
    monkeypatch.setattr(builtins, "print", lambda *words, **options: None)
    options = {"validation_split": 0.4, **EVERYTHING}
    for subset, mode, seed in (("training", "categorical", None), ("validation", "sparse", 5), (None, "binary", 6)):
        flows = []
        for module in (keras.preprocessing.image, theirs):
            flow = module.ImageDataGenerator(**options).flow_from_directory(
                str(folder), (6, 7), class_mode=mode, batch_size=4, seed=seed, subset=subset, interpolation="bilinear"
            )
            np.random.seed(8)
            flows.append((flow, [next(flow) for _ in range(3)] + [flow[1]]))
        (ours, found), (other, want) = flows
        for name in ("filenames", "class_indices", "samples", "n", "image_shape", "num_classes", "filepaths"):
            assert getattr(ours, name) == getattr(other, name), name
        assert np.array_equal(ours.classes, other.classes)
        for ours_batch, their_batch in zip(found, want, strict=True):
            for a, b in zip(ours_batch, their_batch, strict=True):
                assert a.dtype == b.dtype and np.array_equal(a, b)


@needs_tensorflow
def test_the_same_files(theirs, folder):
    path = folder / "elm" / "elm2.PNG"
    for color_mode in ("rgb", "rgba", "grayscale"):
        for how in ({}, {"target_size": (5, 4), "interpolation": "lanczos", "keep_aspect_ratio": True}):
            found, want = (
                k.img_to_array(k.load_img(path, color_mode=color_mode, **how)) for k in (keras.utils, theirs)
            )
            assert found.dtype == want.dtype and np.array_equal(found, want)


@needs_tensorflow
def test_the_same_dataset(theirs, folder):
    other = keras_module().utils.image_dataset_from_directory
    for options in (
        {"image_size": (4, 11)},
        {"image_size": (9, 5), "interpolation": "bicubic", "crop_to_aspect_ratio": True},
        {"image_size": (3, 8), "interpolation": "nearest"},
        {"image_size": (7, 7), "interpolation": "lanczos3", "label_mode": "categorical", "color_mode": "rgba"},
    ):
        found = image_dataset_from_directory(folder, **options, shuffle=False, verbose=False)
        want = other(folder, **options, shuffle=False, verbose=False)
        for ours, his in zip(found, want, strict=True):
            for a, b in zip(ours, his, strict=True):
                assert a.shape == b.shape  # the dtype too, but for "nearest", with which Keras's pixels are uint8
                assert np.allclose(a, b, atol=TABLED if "bicubic" in options.values() else 2e-3), options
    split = {"seed": 5, "validation_split": 0.4, "subset": "validation", "verbose": False}
    assert image_dataset_from_directory(folder, **split).file_paths == other(folder, **split).file_paths
