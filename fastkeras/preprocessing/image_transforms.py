"""What moves, brightens and tints one picture, an array of rank 3. SciPy (the extra `images`) interpolates."""

import functools

import numpy as np

from fastkeras.preprocessing.image_files import array_to_img, img_to_array, of_extra


def apply_affine_transform(
    x,
    theta=0,
    tx=0,
    ty=0,
    shear=0,
    zx=1,
    zy=1,
    row_axis=1,
    col_axis=2,
    channel_axis=0,
    fill_mode="nearest",
    cval=0.0,
    order=1,
):
    """The picture rotated by theta and sheared by `shear` degrees, shifted by (tx, ty) places and zoomed by (zx, zy).

    The place p of the result has the value of the picture at the place q, splines of this order between its places:

        q = c + R(theta) T(tx, ty) S(shear) Z(zx, zy) (p - c)        c = ((height - 1) / 2, (width - 1) / 2)

    A place is (column, row) if rows are the earlier axis, else (row, column): so it is in Keras, and so a picture that
    is not square does not turn about its middle. fill_mode: what lies beyond the edges, "nearest", "reflect", "wrap",
    or "constant", which is cval.
    """
    if x.ndim != 3 or {row_axis, col_axis, channel_axis} != {0, 1, 2} or channel_axis == 1:
        raise ValueError(
            "apply_affine_transform: a picture has the axes 0, 1 and 2, its channels first or last. Received: shape "
            f"{x.shape}, row_axis={row_axis}, col_axis={col_axis}, channel_axis={channel_axis}"
        )
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return x
    center = [(x.shape[axis] - 1) / 2 for axis in (row_axis, col_axis)]
    matrix = _shift(*center) @ _map(theta, tx, ty, shear, zx, zy) @ _shift(-center[0], -center[1])
    if col_axis > row_axis:
        matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]
    transform = of_extra("scipy.ndimage").affine_transform
    move = functools.partial(
        transform, matrix=matrix[:2, :2], offset=matrix[:2, 2], order=order, mode=fill_mode, cval=cval
    )
    return np.stack([move(plane) for plane in np.moveaxis(x, channel_axis, 0)], channel_axis)


def _map(theta, tx, ty, shear, zx, zy):
    """R T S Z as a matrix over (a, b, 1)."""
    theta, shear = np.deg2rad(theta), np.deg2rad(shear)
    rotation = np.array([[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]])
    shearing = np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    return rotation @ _shift(tx, ty) @ shearing @ np.diag([zx, zy, 1])


def _shift(a, b):
    return np.array([[1, 0, a], [0, 1, b], [0, 0, 1]], float)


def apply_channel_shift(x, intensity, channel_axis=0):
    """x + intensity, kept between the least and the largest value of x."""
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(x, brightness, scale=True, data_format=None):
    """The picture, its values as 8-bit integers, `brightness` times as bright, at most 255.

    scale: moves and stretches the values to [0, 255] first. Without it that is done only to values beyond [0, 255], and
    undone afterwards.
    """
    low, high = x.min(), x.max()
    beyond = low < 0 or high > 255
    picture = array_to_img(x, data_format, scale or beyond)
    y = img_to_array(of_extra("PIL.ImageEnhance").Brightness(picture).enhance(brightness), data_format)
    return y / 255 * (high - low) + low if beyond and not scale else y


def flip_axis(x, axis):
    """The picture with an axis the other way round."""
    return np.flip(x, axis)


# --- by chance: numpy's global generator draws, as in Keras ----------------------------------------------------------


def random_rotation(x, rg, interpolation_order=1, **options):
    """Rotated by up to rg degrees. options, here and below: those of apply_affine_transform."""
    return apply_affine_transform(x, theta=np.random.uniform(-rg, rg), order=interpolation_order, **options)


def random_shift(x, wrg, hrg, row_axis=1, col_axis=2, interpolation_order=1, **options):
    """Shifted by up to a part wrg of the width and hrg of the height."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = {"row_axis": row_axis, "col_axis": col_axis}
    return apply_affine_transform(x, tx=tx, ty=ty, order=interpolation_order, **axes, **options)


def random_shear(x, intensity, interpolation_order=1, **options):
    """Sheared by up to `intensity` degrees."""
    shear = np.random.uniform(-intensity, intensity)
    return apply_affine_transform(x, shear=shear, order=interpolation_order, **options)


def random_zoom(x, zoom_range, interpolation_order=1, **options):
    """Zoomed by two factors from zoom_range, (least, largest)."""
    zx, zy = drawn_zoom(zoom_range)
    return apply_affine_transform(x, zx=zx, zy=zy, order=interpolation_order, **options)


def drawn_zoom(zoom_range):
    """Two factors from (least, largest); (1, 1) without a draw if both are 1."""
    least, largest = zoom_range
    return (1, 1) if least == largest == 1 else np.random.uniform(least, largest, 2)


def random_channel_shift(x, intensity_range, channel_axis=0):
    """apply_channel_shift by up to intensity_range."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x, brightness_range, scale=True):
    """apply_brightness_shift by a factor from brightness_range, (least, largest)."""
    return apply_brightness_shift(x, np.random.uniform(*brightness_range), scale)
