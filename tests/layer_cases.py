"""Single layers, written once for fastkeras and Keras 3, and what a layer gives: for comparing both.

A case is (class name, arguments, shapes of the inputs, options). Options: `masks`, for each input whether it has one;
`training`.
"""

import numpy as np


def inputs(shapes, masks=(), seed=0):
    """Arrays of these shapes, and for each a mask of its steps or None; the first step of each row is unmasked."""
    rng = np.random.RandomState(seed)
    xs = [rng.normal(size=shape).astype("f") for shape in shapes]
    marks = [rng.uniform(size=x.shape[:2]) < 0.6 if masked else None for x, masked in zip(xs, masks, strict=False)]
    for mark in marks:
        if mark is not None:
            mark[:, 0] = True
    return xs, marks + [None] * (len(xs) - len(marks))


def weights(shapes, seed=5):
    rng = np.random.RandomState(seed)
    return [rng.normal(size=shape).astype("f") for shape in shapes]


MERGING = [
    *((name, {}, [(3, 5), (3, 5)]) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")),
    *((name, {}, [(3, 5, 2)] * 3) for name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")),
    # fewer axes, and extents of 1
    *((name, {}, [(3, 2), (3, 5, 2), (3, 1, 2)]) for name in ("Add", "Multiply", "Average", "Maximum")),
    ("Subtract", {}, [(3, 5, 1), (3, 1, 2)]),
    ("Minimum", {}, [(3,), (3, 5)]),
    ("Add", {}, [(3, 5)]),
    ("Concatenate", {}, [(3, 5)]),
    ("Concatenate", {}, [(3, 5, 2), (3, 5, 7), (3, 5, 1)]),
    ("Concatenate", {"axis": 1}, [(3, 5, 2), (3, 7, 2)]),
    ("Concatenate", {"axis": -2}, [(3, 5, 2), (3, 1, 2)]),
    # products: of vectors, of a matrix and a vector, of matrices, and of what has more axes
    ("Dot", {"axes": 1}, [(3, 5), (3, 5)]),
    ("Dot", {"axes": -1, "normalize": True}, [(3, 5), (3, 5)]),
    ("Dot", {"axes": (2, 1)}, [(3, 7, 5), (3, 5)]),
    ("Dot", {"axes": [1, 2]}, [(3, 5), (3, 7, 5)]),
    ("Dot", {"axes": (1, 2), "normalize": True}, [(3, 5, 2), (3, 7, 5)]),
    ("Dot", {"axes": 2}, [(3, 2, 5), (3, 7, 5)]),
    ("Dot", {"axes": (2, 3)}, [(3, 2, 5, 7), (3, 11, 1, 5)]),
    # masks
    *((name, {}, [(3, 5, 2)] * 3, {"masks": m}) for name in ("Add", "Multiply", "Maximum", "Minimum", "Average")
      for m in ((1, 1, 1), (1, 0, 1), (0, 1, 1))),
    ("Concatenate", {}, [(3, 5, 2), (3, 5, 7)], {"masks": (1, 1)}),
    ("Concatenate", {}, [(3, 5, 2), (3, 5, 7)], {"masks": (0, 1)}),
    ("Concatenate", {"axis": 1}, [(3, 5, 2), (3, 7, 2)], {"masks": (1, 1)}),
    ("Concatenate", {"axis": 1}, [(3, 5, 2), (3, 7, 2)], {"masks": (1, 0)}),
    ("Subtract", {}, [(3, 5, 2), (3, 5, 2)], {"masks": (1, 1)}),
    ("Dot", {"axes": 2}, [(3, 2, 5), (3, 7, 5)], {"masks": (1, 1)}),
]  # fmt: skip
CONVOLUTIONS = [
    *(("Conv1DTranspose", {"filters": 7, "kernel_size": 3, **more}, [(2, 5, 3)]) for more in (
        {"activation": "relu"},
        {"strides": 2},
        {"strides": 5, "use_bias": False},
        {"padding": "same", "dilation_rate": 2},
        {"padding": "same", "strides": 3, "output_padding": 2},
    )),
    *(("Conv2DTranspose", {"filters": 7, "kernel_size": (4, 3), **more}, [(2, 4, 5, 3)]) for more in (
        {"activation": "softmax"},
        {"strides": (3, 2)},
        {"padding": "same", "strides": 2},
        {"padding": "same", "strides": (2, 3), "output_padding": (1, 0)},
    )),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2, "activation": "tanh"}, [(2, 11, 5)]),
    ("DepthwiseConv1D", {"kernel_size": 2, "padding": "same", "dilation_rate": 3}, [(2, 11, 5)]),
    ("DepthwiseConv2D", {"kernel_size": (2, 3), "strides": 2, "depth_multiplier": 3}, [(2, 7, 8, 3)]),
    ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same", "activation": "softmax"}, [(2, 7, 8, 3)]),
    ("DepthwiseConv2D", {"kernel_size": 2, "padding": "same", "strides": 2, "dilation_rate": 3}, [(2, 7, 8, 3)]),
    ("SeparableConv1D", {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2}, [(2, 11, 5)]),
    ("SeparableConv1D", {"filters": 4, "kernel_size": 3, "dilation_rate": 2, "activation": "silu"}, [(2, 11, 5)]),
    ("SeparableConv2D", {"filters": 4, "kernel_size": (2, 3), "depth_multiplier": 2}, [(2, 7, 8, 3)]),
    ("SeparableConv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "use_bias": False}, [(2, 7, 8, 3)]),
    ("SpatialDropout2D", {"rate": 0.5}, [(2, 7, 5, 3)]),
    ("SpatialDropout3D", {"rate": 0.5, "data_format": "channels_first"}, [(2, 3, 5, 7, 2)]),
]  # fmt: skip

ACTIVATIONS = [
    ("LeakyReLU", {}, [(3, 5)]),
    ("LeakyReLU", {"negative_slope": 0.1}, [(3, 5, 2)], {"masks": (1,)}),
    ("ELU", {"alpha": 0.7}, [(3, 5)]),
    ("ReLU", {}, [(3, 5)]),
    ("ReLU", {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0.3}, [(3, 5, 2)]),
    ("PReLU", {}, [(3, 5)]),
    ("PReLU", {}, [(3, 5, 2)], {"masks": (1,)}),
    ("PReLU", {"shared_axes": [1, 2]}, [(3, 5, 2, 7)]),
    ("PReLU", {"shared_axes": 1}, [(3, 5, 2, 7)]),
    ("PReLU", {"shared_axes": [2]}, [(3, 5, 2, 7)]),
    ("PReLU", {"shared_axes": (1, 3)}, [(3, 5, 2, 7)]),
    ("PReLU", {"shared_axes": [1, 2]}, [(3, 5, 2)]),
    ("Softmax", {}, [(3, 5)]),
    ("Softmax", {"axis": 1}, [(3, 5, 2)]),
    ("Softmax", {"axis": [1, -1]}, [(3, 5, 2, 7)]),
    ("Softmax", {}, [(3, 5)], {"masks": (1,)}),
    ("Softmax", {"axis": (-1,)}, [(3, 5)], {"masks": (1,)}),
    ("Identity", {}, [(3, 5)], {"masks": (1,)}),
]
REGULARIZATION = [
    ("GaussianNoise", {"stddev": 0.3, "seed": 5}, [(3, 5, 2)], {"masks": (1,)}),
    ("GaussianDropout", {"rate": 0.3}, [(3, 5)]),
    ("AlphaDropout", {"rate": 0.3, "noise_shape": (None, 1, 2)}, [(3, 5, 2)]),
    ("GaussianNoise", {"stddev": 0.0}, [(3, 5)], {"training": True}),
    ("GaussianDropout", {"rate": 0.0}, [(3, 5)], {"training": True}),
    ("AlphaDropout", {"rate": 0.0}, [(3, 5)], {"training": True}),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, [(3, 5)]),
]
NORMALIZATION = [
    ("GroupNormalization", {"groups": 3}, [(5, 6)]),
    ("GroupNormalization", {"groups": 2, "epsilon": 0.1}, [(3, 5, 7, 6)]),
    ("GroupNormalization", {"groups": -1, "axis": 1, "scale": False}, [(3, 6, 5)]),
    ("GroupNormalization", {"groups": 1, "axis": -2, "center": False}, [(3, 5, 6, 2)], {"masks": (1,)}),
    ("UnitNormalization", {}, [(3, 5)]),
    ("UnitNormalization", {"axis": [1, 2]}, [(3, 5, 2)], {"masks": (1,)}),
    ("UnitNormalization", {"axis": 1}, [(3, 5, 2, 7)]),
    ("Normalization", {}, [(3, 5)]),
    ("Normalization", {"mean": [1.0, 2.0], "variance": [4.0, 0.0]}, [(3, 5, 2)], {"masks": (1,)}),
    ("Normalization", {"axis": None, "mean": 1.5, "variance": 4.0, "invert": True}, [(3, 5)]),
    ("Normalization", {"axis": (1, 2), "mean": [1.0, 2.0], "variance": [4.0, 5.0]}, [(3, 5, 2)]),
    ("Rescaling", {"scale": 0.5}, [(3, 5)]),
    ("Rescaling", {"scale": [1.0, 2.0], "offset": -1}, [(3, 5, 2)], {"masks": (1,)}),
]
IMAGES = [
    ("Resizing", {"height": 3, "width": 11}, [(2, 5, 7, 3)]),
    ("Resizing", {"height": 7, "width": 2, "interpolation": "nearest"}, [(2, 5, 7, 3)]),
    ("Resizing", {"height": 2, "width": 3, "antialias": True, "crop_to_aspect_ratio": True}, [(2, 5, 7, 3)]),
    ("Resizing", {"height": 7, "width": 5, "interpolation": "bicubic", "antialias": True}, [(2, 11, 13, 3)]),
    ("Resizing", {"height": 4, "width": 9, "pad_to_aspect_ratio": True, "fill_value": 5.0}, [(2, 5, 7, 3)]),
    ("CenterCrop", {"height": 2, "width": 5}, [(2, 5, 7, 3)]),
    ("CenterCrop", {"height": 3, "width": 9}, [(2, 5, 7, 3)]),
    ("RandomFlip", {"mode": "vertical", "seed": 3}, [(2, 5, 7, 3)]),
    ("RandomRotation", {"factor": 0.2, "fill_mode": "wrap"}, [(2, 5, 7, 3)]),
    ("RandomZoom", {"height_factor": (0.3, -0.2), "interpolation": "nearest"}, [(2, 5, 7, 3)]),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": [0.1, 0.3]}, [(2, 5, 7, 3)]),
    ("RandomBrightness", {"factor": [0.3, -0.2]}, [(2, 5, 7, 3)]),
    ("RandomContrast", {"factor": (0.3, 0.2), "value_range": (0, 1)}, [(2, 5, 7, 3)]),
]
CASES = [*MERGING, *CONVOLUTIONS, *ACTIVATIONS, *REGULARIZATION, *NORMALIZATION, *IMAGES]
