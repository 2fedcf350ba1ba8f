"""Layers that only move values: Reshape, Permute, and those that add, cut off and repeat places."""

import numpy as np

from fastkeras._kernels import conv as kernel
from fastkeras.core.resizing import INTERPOLATIONS, resized, weights
from fastkeras.core.rows import dense
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import (
    as_images,
    check_axes,
    check_places,
    checked_format,
    from_images,
    one_of,
    parts,
    whole,
)
from fastkeras.utils.arguments import integers, per_axis, positive_integer
from fastkeras.utils.messages import message


def listed(layer, name, value):
    """A list of integers as a tuple; a ValueError that names layer and argument if it is none."""
    if isinstance(value, str) or not np.iterable(value):
        raise ValueError(message("not_a_list", layer=layer, name=name, received=repr(value)))
    return integers(layer, name, tuple(value))


class Reshape(Layer):
    """(B, ...) -> (B, *target_shape), in row-major order; one extent may be -1, which is what is left over."""

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape = tuple(
            n if n == -1 else positive_integer("Reshape", "target_shape", n)
            for n in listed("Reshape", "target_shape", target_shape)
        )
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"Reshape: `target_shape` may hold one -1. Received: target_shape={self.target_shape}")

    def compute_output_shape(self, input_shape):
        extents, known = input_shape[1:], [n for n in self.target_shape if n != -1]
        if None in extents:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        size, rest = int(np.prod(extents)), int(np.prod(known))
        if size % rest or (-1 not in self.target_shape and size != rest):
            fields = {"layer": self.name, "size": size, "target": self.target_shape}
            raise ValueError(message("values_for_reshape", **fields, received=tuple(input_shape)))
        return (input_shape[0], *(size // rest if n == -1 else n for n in self.target_shape))

    def forward(self, x, run):
        x, back = dense(x, run)
        return x.reshape(self.compute_output_shape(x.shape)), lambda dy: back(dy.reshape(x.shape))

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """y's axis i is x's axis dims[i - 1]; axes count from 1, as the batch stays where it is."""

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = listed("Permute", "dims", dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute: `dims` must hold each of 1, 2, ... once. Received: dims={self.dims}")

    def check_input_shape(self, input_shape):
        if len(input_shape) != len(self.dims) + 1:
            raise ValueError(
                f"Layer '{self.name}' (Permute): expected an input with {len(self.dims) + 1} axes. "
                f"Received: shape {tuple(input_shape)}"
            )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(input_shape[i] for i in self.dims))

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        y = run.buffer("y", self.compute_output_shape(x.shape))
        np.copyto(y, x.transpose(0, *self.dims))

        def backward(dy):
            dx = run.buffer("dx", x.shape)
            np.copyto(dx.transpose(0, *self.dims), dy)
            return back(dx)

        return y, backward

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}


# --- borders ---------------------------------------------------------------------------------------------------------


def _edges(layer, name, value, rank):
    """(places before, places after) for each of `rank` axes.

    value: one number for all; for one axis also the pair; for two also a number or a pair for each.
    """
    pairs = value if isinstance(value, (tuple, list)) and rank > 1 else (value,) * rank
    pairs = tuple(tuple(p) if isinstance(p, (tuple, list)) else (p, p) for p in pairs)
    whole_numbers = all(isinstance(n, (int, np.integer)) and n >= 0 for pair in pairs for n in pair)
    if not whole_numbers or len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
        wanted = "a pair of them" if rank == 1 else "a pair of numbers or pairs"
        raise ValueError(f"{layer}: `{name}` must be an integer from 0 up, or {wanted}. Received: {name}={value!r}")
    return tuple((int(before), int(after)) for before, after in pairs)


class Border(Layer):
    """What ZeroPadding and Cropping share: `edges`, the places added (or cut off) before and after each axis."""

    rank = edges = None
    data_format = "channels_last"
    sign = 1  # of the change in extents

    def check_input_shape(self, input_shape):
        check_axes(self, input_shape)
        if self.sign < 0:
            check_places(self, input_shape, [before + after + 1 for before, after in self.edges])

    def compute_output_shape(self, input_shape):
        extents, channels = parts(input_shape, self.data_format)
        extents = [n if n is None else n + self.sign * sum(edge) for n, edge in zip(extents, self.edges, strict=True)]
        return whole(input_shape[0], extents, channels, self.data_format)

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        axes = self.rank, self.data_format
        images = as_images(x, *axes)
        extents, _ = parts(self.compute_output_shape(x.shape), self.data_format)
        corner = (0,) * (2 - self.rank) + tuple(before for before, _ in self.edges)
        change, undo = (kernel.pad, kernel.crop) if self.sign > 0 else (kernel.crop, kernel.pad)
        y = run.buffer("y", (len(x), *(1,) * (2 - self.rank), *extents, images.shape[3]))
        change(y, images, *corner)

        def backward(dy):
            dx = run.buffer("dx", images.shape)
            undo(dx, as_images(dy, *axes), *corner)
            return back(from_images(dx, *axes))

        return from_images(y, *axes), backward


class ZeroPadding1D(Border):
    """Zeros before and after the steps: x (B, T, C), padding a number or (before, after)."""

    rank = 1

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = self.edges = _edges("ZeroPadding1D", "padding", padding, 1)
        self.data_format = checked_format("ZeroPadding1D", data_format)

    def get_config(self):
        config = {**super().get_config(), "padding": self.padding[0]}
        if self.data_format != "channels_last":  # Keras 2 does not know it
            config["data_format"] = self.data_format
        return config


class ZeroPadding2D(Border):
    """Zeros around images: x (B, H, W, C), padding a number, (rows, columns) or ((top, bottom), (left, right))."""

    rank = 2

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = self.edges = _edges("ZeroPadding2D", "padding", padding, 2)
        self.data_format = checked_format("ZeroPadding2D", data_format)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class Cropping1D(Border):
    """x without its first and last steps: x (B, T, C), cropping a number or (first, last)."""

    rank, sign = 1, -1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(**kwargs)
        self.cropping = self.edges = _edges("Cropping1D", "cropping", cropping, 1)

    def get_config(self):
        return {**super().get_config(), "cropping": self.cropping[0]}


class Cropping2D(Border):
    """Images without their outer places: x (B, H, W, C), cropping as the padding of ZeroPadding2D."""

    rank, sign = 2, -1

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.cropping = self.edges = _edges("Cropping2D", "cropping", cropping, 2)
        self.data_format = checked_format("Cropping2D", data_format)

    def get_config(self):
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}


# --- more places -----------------------------------------------------------------------------------------------------


class UpSampling(Layer):
    """y has `size` places for each of x: repeated ("nearest"), or interpolated between the places around."""

    rank = None
    data_format = "channels_last"
    interpolation = "nearest"

    def check_input_shape(self, input_shape):
        check_axes(self, input_shape)

    def _sizes(self):
        return self.size if self.rank == 2 else (self.size,)

    def compute_output_shape(self, input_shape):
        extents, channels = parts(input_shape, self.data_format)
        extents = [n if n is None else n * size for n, size in zip(extents, self._sizes(), strict=True)]
        return whole(input_shape[0], extents, channels, self.data_format)

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        axes = self.rank, self.data_format
        images = as_images(x, *axes)
        y, undo = (self._repeated if self.interpolation == "nearest" else self._interpolated)(images, run)
        return from_images(y, *axes), lambda dy: back(from_images(undo(as_images(dy, *axes)), *axes))

    def _repeated(self, x, run):
        """y[b, SH h + i, SW w + j] = x[b, h, w]"""
        B, H, W, C = x.shape
        SH, SW = (1,) * (2 - self.rank) + self._sizes()
        y = run.buffer("y", (B, H * SH, W * SW, C))
        y.reshape(B, H, SH, W, SW, C)[...] = x[:, :, None, :, None]
        return y, lambda dy: dy.reshape(B, H, SH, W, SW, C).sum(axis=(2, 4), out=run.buffer("dx", x.shape))

    def _interpolated(self, x, run):
        """y = rows x columns^T for each channel"""
        wanted = zip(x.shape[1:3], self.size, strict=True)
        rows, columns = (weights(n, n * size, self.interpolation) for n, size in wanted)
        return resized(x, rows, columns), lambda dy: resized(dy, rows.T, columns.T)


class UpSampling1D(UpSampling):
    """Each step `size` times: x (B, T, C) -> (B, T*size, C)."""

    rank = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = positive_integer("UpSampling1D", "size", size)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class UpSampling2D(UpSampling):
    """Images `size` times as large, a number or (rows, columns): x (B, H, W, C) -> (B, H*rows, W*columns, C).

    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """

    rank = 2

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(**kwargs)
        self.size = per_axis("UpSampling2D", "size", size, 2)
        self.data_format = checked_format("UpSampling2D", data_format)
        self.interpolation = one_of("UpSampling2D", "interpolation", interpolation, INTERPOLATIONS)

    def get_config(self):
        config = {"size": self.size, "data_format": self.data_format, "interpolation": self.interpolation}
        return {**super().get_config(), **config}
