"""Resizing, CenterCrop and the layers that change images by chance: sizes, distributions, gradients, seeds, files.

What they do when a model predicts, their gradients then and their configurations are compared in test_keras_layers.py.
"""

import numpy as np
import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow

import fastkeras as keras
from fastkeras import layers
from fastkeras.core.run import Run
from fastkeras.layers.augmentation import moved

RNG = np.random.default_rng(41)
IMAGES = RNG.uniform(0, 255, (7, 5, 9, 3)).astype("f")
MAKE = {
    "RandomFlip": lambda **more: layers.RandomFlip(**more),
    "RandomRotation": lambda **more: layers.RandomRotation(0.2, **more),
    "RandomZoom": lambda **more: layers.RandomZoom((-0.3, 0.4), **more),
    "RandomTranslation": lambda **more: layers.RandomTranslation(0.3, (-0.2, 0.4), **more),
    "RandomCrop": lambda **more: layers.RandomCrop(2, 4, **more),
    "RandomBrightness": lambda **more: layers.RandomBrightness(0.2, **more),
    "RandomContrast": lambda **more: layers.RandomContrast(0.4, **more),
}


def changed(layer, x=IMAGES):
    return layer.forward(x, Run(training=True, wants_dx=True))[0].copy()


# --- sizes -----------------------------------------------------------------------------------------------------------


def test_resizing():
    x = np.arange(16, dtype="f").reshape(1, 4, 4, 1)
    nearest = layers.Resizing(2, 8, interpolation="nearest")(x)
    np.testing.assert_array_equal(nearest[0, :, :, 0], np.repeat(x[0, [1, 3], :, 0], 2, axis=1))
    smooth = layers.Resizing(2, 2, antialias=True)(x)
    assert_close(smooth.mean(), x.mean(), 1e-6)
    wide = layers.Resizing(2, 4, pad_to_aspect_ratio=True, fill_value=-1.0)(x)
    np.testing.assert_array_equal(wide[0, :, [0, 3], 0], -np.ones((2, 2)))
    assert layers.Resizing(3, 2, data_format="channels_first")(IMAGES).shape == (7, 5, 3, 2)
    assert layers.Resizing(3, 2)(keras.Input((None, None, 3))).shape == (None, 3, 2, 3)


def test_center_crop():
    np.testing.assert_array_equal(layers.CenterCrop(2, 3)(IMAGES), IMAGES[:, 1:3, 3:6])
    larger = layers.CenterCrop(10, 10)(IMAGES)
    assert_close(larger, layers.Resizing(10, 10, crop_to_aspect_ratio=True)(IMAGES), 1e-6)


@pytest.mark.parametrize("name", MAKE)
def test_one_image_is_changed_as_a_batch_of_one(name):
    one, batch = (changed(MAKE[name](seed=3), x) for x in (IMAGES[0], IMAGES[:1]))
    np.testing.assert_array_equal(one, batch[0])
    first = MAKE[name](seed=3, data_format="channels_first")
    np.testing.assert_array_equal(changed(first, np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))),
                                  changed(MAKE[name](seed=3)).transpose(0, 3, 1, 2))  # fmt: skip


# --- by chance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKE)
def test_seeds_calls_and_predictions(name):
    layer, again = MAKE[name](seed=3), MAKE[name](seed=3)
    first = changed(layer)
    np.testing.assert_array_equal(changed(again), first)
    for other in (layer, MAKE[name](seed=4)):
        assert any(not np.array_equal(changed(other), first) for _ in range(3))
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    still = layers.Resizing(2, 4, crop_to_aspect_ratio=True)(IMAGES) if name == "RandomCrop" else IMAGES
    model = keras.Sequential([keras.Input((5, 9, 3)), layer])
    for y in (layer(IMAGES, training=False), model.predict(IMAGES, verbose=0), model(IMAGES, training=False)):
        np.testing.assert_array_equal(y, still)
    assert model.output_shape[1:] == first.shape[1:] == still.shape[1:]


class Inside(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, x):
        return self.layer(x)


@pytest.mark.parametrize("hold", [lambda layer: layer, lambda layer: keras.Sequential([layer]), Inside])
def test_without_being_told_images_change(hold):
    """As in Keras, where pictures are shown by `augmentation(images)`."""
    model = hold(layers.RandomBrightness((0.1, 0.2), (0, 300)))
    assert (np.asarray(model(IMAGES)) > IMAGES).all()
    assert np.array_equal(model(IMAGES, training=False), IMAGES)
    if hold is Inside:
        np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), IMAGES)


def test_flips():
    x = RNG.normal(size=(600, 2, 3, 1)).astype("f")
    ways = {"horizontal": [x, x[:, :, ::-1]], "vertical": [x, x[:, ::-1]]}
    ways["horizontal_and_vertical"] = [*ways["horizontal"], x[:, ::-1], x[:, ::-1, ::-1]]
    for mode, expected in ways.items():
        y = changed(layers.RandomFlip(mode, seed=1), x)
        shares = [(y == way).all(axis=(1, 2, 3)).mean() for way in expected]
        assert sum(shares) == pytest.approx(1) and np.ptp(shares) < 0.1


def test_crops_are_everywhere():
    layer, corners = layers.RandomCrop(4, 7, seed=1), set()
    for _ in range(60):
        y = changed(layer)
        (corner,) = [(r, c) for r in range(2) for c in range(3) if np.array_equal(y, IMAGES[:, r : r + 4, c : c + 7])]
        corners.add(corner)
    assert len(corners) == 6
    np.testing.assert_array_equal(changed(layers.RandomCrop(9, 9), IMAGES), layers.CenterCrop(9, 9)(IMAGES))


def test_brightness_and_contrast():
    x = RNG.uniform(100, 150, (500, 2, 2, 1)).astype("f")
    d = (changed(layers.RandomBrightness((-0.1, 0.3), seed=1), x) - x) / 255
    assert np.ptp(d, axis=(1, 2, 3)).max() < 1e-5
    assert -0.1 <= d.min() < -0.08 and 0.28 < d.max() <= 0.3 and abs(d.mean() - 0.1) < 0.02
    c = (changed(layers.RandomContrast((0.5, 0.2), seed=1), x)).std(axis=(1, 2, 3)) / x.std(axis=(1, 2, 3))
    assert 0.8 <= c.min() < 0.82 and 1.48 < c.max() <= 1.5
    assert_close(changed(layers.RandomContrast(0.5), x).mean(axis=(1, 2)), x.mean(axis=(1, 2)), 1e-5)
    bright = changed(layers.RandomBrightness((0.9, 1.0), value_range=[0, 200]), x)
    np.testing.assert_array_equal(bright, np.full_like(x, 200))


def test_a_quarter_turn_and_a_whole_shift():
    x = IMAGES[:, :, :5]
    turned = changed(layers.RandomRotation((0.25, 0.25)), x)
    assert_close(turned, np.rot90(x, axes=(1, 2)), 1e-4)
    shifted = changed(layers.RandomTranslation((0.2, 0.2), (-0.4, -0.4), "constant", fill_value=7.0), x)
    np.testing.assert_allclose(shifted[:, 1:, :3], x[:, :4, 2:], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(shifted[:, 0], 7, rtol=1e-4)
    twice = changed(layers.RandomZoom((-0.5, -0.5), interpolation="nearest"), x)
    np.testing.assert_array_equal(twice[:, 2, [0, 2, 4]], x[:, 2, [1, 2, 3]])


def test_angles_zooms_and_shifts_are_spread():
    x = np.zeros((500, 2, 2, 1), "f")
    sine = layers.RandomRotation((-0.1, 0.2), seed=1).maps(x)[0][:, 0, 1]
    turns = np.arcsin(sine) / (2 * np.pi)  # up to a quarter of a turn
    assert -0.1 <= turns.min() < -0.09 and 0.19 < turns.max() <= 0.2 + 1e-6
    A, _ = layers.RandomZoom(0.3, seed=1).maps(x)
    assert 0.7 <= A[:, 0, 0].min() < 0.72 and 1.28 < A[:, 0, 0].max() <= 1.3
    np.testing.assert_array_equal(A[:, 0, 0], A[:, 1, 1])
    A, _ = layers.RandomZoom(0.3, (0.0, 0.1), seed=1).maps(x)
    assert np.ptp(A[:, 1, 1]) < 0.1 < np.ptp(A[:, 0, 0]) and not A[:, 0, 1].any()
    _, shift = layers.RandomTranslation(0.5, (0.0, 0.25), seed=1).maps(x)
    assert shift[:, 0].min() < -0.9 and shift[:, 0].max() > 0.9 and shift[:, 1].min() >= 0 and shift[:, 1].max() > 0.45


@pytest.mark.parametrize("name", [*MAKE, "Resizing", "CenterCrop"])
def test_gradient_of_the_very_change(name):
    """What layers do to x is linear, where values stay in range: dx is the transpose of it, <dx, v> = <dy, y(v)>."""
    make = {
        **MAKE,
        "RandomTranslation": lambda **more: layers.RandomTranslation(0.3, 0.2, "constant", fill_value=3.0, **more),
        "Resizing": lambda seed: layers.Resizing(3, 11, "bicubic", pad_to_aspect_ratio=True),
        "CenterCrop": lambda seed: layers.CenterCrop(4, 5),
    }[name]
    x, v = RNG.uniform(90, 100, (2, *IMAGES.shape)).astype("f")
    y, backward = make(seed=3).forward(x, Run(training=True, wants_dx=True))
    y, dy = y.copy(), RNG.normal(size=y.shape).astype("f")
    dx = backward(dy)
    slope = changed(make(seed=3), x + v / 100) - y
    assert dx.shape == x.shape
    assert_close(np.sum(dx * v / 100), np.sum(dy * slope.astype("d")), 2e-3)


def test_nothing_flows_back_where_values_were_cut_off():
    layer = layers.RandomBrightness((0.5, 0.5), value_range=(0, 1))
    y, backward = layer.forward(np.array([[[[0.2], [0.8]]]], "f"), Run(training=True, wants_dx=True))
    np.testing.assert_allclose(y.ravel(), [0.7, 1])
    np.testing.assert_array_equal(backward(np.ones_like(y)).ravel(), [1, 0])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: layers.RandomFlip("sideways"), "RandomFlip: `mode` must be one of horizontal"),
        (lambda: layers.RandomRotation(2), r"RandomRotation: `factor` must be .* from -1 to 1\. Received: factor=2"),
        (lambda: layers.RandomZoom("0.5"), "RandomZoom: `height_factor`"),
        (lambda: layers.RandomZoom(0.5, (0, 1, 2)), "RandomZoom: `width_factor`"),
        (lambda: layers.RandomTranslation(0.5, 3), "RandomTranslation: `width_factor`"),
        (lambda: layers.RandomZoom(0.5, fill_mode="mirror"), "RandomZoom: `fill_mode` must be one of reflect"),
        (lambda: layers.RandomRotation(0.5, interpolation="cubic"), "RandomRotation: `interpolation`"),
        (lambda: layers.RandomContrast(-0.5), "RandomContrast: `factor` must be .* from 0 to 1"),
        (lambda: layers.RandomBrightness(0.5, 255), "RandomBrightness: `value_range`"),
        (lambda: layers.RandomCrop(0, 3), "RandomCrop: `height`"),
        (lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "cropped or padded"),
        (lambda: layers.Resizing(2, 2, "area"), "Resizing: `interpolation` must be one of nearest"),
        (lambda: layers.Resizing(2, 2)(np.zeros((3, 3))), r"\(batch, rows, columns, channels\) or \(rows"),
    ],
)
def test_errors(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_a_saved_model_goes_on_to_change_images(tmp_path):
    stack = [make(seed=5) for make in MAKE.values()]
    model = keras.Sequential([keras.Input((5, 9, 3)), *stack, layers.Resizing(3, 3), layers.CenterCrop(2, 2)])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert again.to_json() == model.to_json()
    np.testing.assert_array_equal(again(IMAGES, training=True), model(IMAGES, training=True))


# --- as Keras has it -------------------------------------------------------------------------------------------------


@needs_tensorflow
def test_images_are_moved_as_keras_moves_them():
    affine = keras_module().ops.image.affine_transform
    turn = RNG.uniform(-3, 3, 7)
    A = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
    A = A * RNG.uniform(0.7, 1.3, (7, 1, 2))
    shift, center = RNG.uniform(-2, 2, (7, 2)), np.array([2.0, 4.0])
    offset = center - A @ center - shift
    flat = [A[:, 1, 1], A[:, 1, 0], offset[:, 1], A[:, 0, 1], A[:, 0, 0], offset[:, 0], 0 * turn, 0 * turn]
    for fill_mode in ("reflect", "nearest", "constant"):
        for interpolation in ("nearest", "bilinear"):
            want = affine(IMAGES, np.stack(flat, axis=1).astype("f"), interpolation, fill_mode, 9.0)
            found, _ = moved(IMAGES, A, shift, fill_mode, 9.0, interpolation)
            assert np.abs(found - np.asarray(want)).max() < 2e-2, (fill_mode, interpolation)


@needs_tensorflow
def test_layers_without_chance_are_keras_s():
    """With a range of a single number: the way round, the center and the scale."""
    theirs = keras_module().layers
    for name, arguments in (
        ("RandomRotation", {"factor": (0.1, 0.1)}),
        ("RandomZoom", {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2), "fill_mode": "nearest"}),
        ("RandomTranslation", {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2), "fill_mode": "constant"}),
        ("RandomBrightness", {"factor": (0.2, 0.2), "value_range": (0, 200)}),
        ("RandomContrast", {"factor": (0.0, 0.0)}),
    ):
        want = getattr(theirs, name)(**arguments)(IMAGES, training=True)
        assert_close(changed(getattr(layers, name)(**arguments)), np.asarray(want), 1e-4, name)
