"""Calls of fastkeras.ops whose gradients are checked, by central differences and against Keras's.

A case is (name, kinds of the arguments, keyword arguments). A kind is a shape of random numbers, or a tuple (domain,
shape) with the domain they come from, or ["const", x] for an argument x that has no gradient. A tensor among keyword
arguments would have none.
"""

import operator

import numpy as np
from checks import assert_close, central_difference

import fastkeras
from fastkeras import ops

ALL = [
    # arithmetic, broadcasting both ways
    *[(name, [shape1, shape2], {}) for name in (
        "add", "subtract", "multiply", "maximum", "minimum", "logaddexp", "logaddexp2", "fmax", "fmin")
      for shape1, shape2 in (((2, 3), (2, 3)), ((2, 1, 3), (5, 1)), ((), (3,)))],
    ("divide", [(2, 3), ("positive", (3,))], {}),
    ("true_divide", [(3,), ("positive", (2, 1))], {}),
    ("power", [("positive", (2, 3)), (3,)], {}),
    ("mod", [("positive", (2, 3)), ("positive", (3,))], {}),
    ("fmod", [(2, 3), ("positive", (3,))], {}),
    *[(name, [(2, 3), ("positive", (3,))], {}) for name in ("arctan2", "hypot", "divide_no_nan")],
    ("ldexp", [(2, 3), ["const", np.array([1, -2, 3], np.int32)]], {}),
    ("nan_to_num", [(2, 3)], {}),
    *[(name, [(2, 3)], {}) for name in (
        "negative", "abs", "absolute", "exp", "exp2", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "arctan",
        "arcsinh", "square", "erf", "erfc", "fabs", "sinc", "deg2rad", "rad2deg")],
    *[(name, [("positive", (2, 3))], {}) for name in (
        "log", "log1p", "log2", "log10", "sqrt", "cbrt", "rsqrt", "reciprocal")],
    *[(name, [("unit", (2, 3))], {}) for name in ("tan", "arcsin", "arccos", "arctanh", "erfinv")],
    ("arccosh", [("above one", (2, 3))], {}),
    ("clip", [(2, 7)], {"x_min": -0.5, "x_max": 0.7}),
    ("where", [["const", np.array([True, False, True])], (2, 3), (3,)], {}),
    # reductions
    *[(name, [(2, 3, 5)], {"axis": axis, "keepdims": keepdims})
      for name in ("sum", "mean", "max", "min", "amax", "prod", "var", "std", "logsumexp")
      for axis, keepdims in ((None, False), (1, False), (-1, True), ((0, 2), False))],
    ("average", [(2, 3)], {"axis": 1, "weights": np.float32([0.5, 1.5, 1.0])}),
    ("norm", [(2, 3)], {}),
    ("norm", [(2, 3)], {"axis": 1, "ord": 1}),
    ("norm", [(2, 3)], {"axis": 1, "ord": 3, "keepdims": True}),
    ("norm", [(2, 3)], {"axis": -1, "ord": np.inf}),
    ("cumsum", [(2, 3)], {"axis": 1}),
    ("cumsum", [(2, 3)], {"axis": 0}),
    ("cumprod", [(2, 3)], {"axis": 1}),
    # quantiles, differences, correlations, and reductions that pass over nan
    ("quantile", [(2, 5), ["const", 0.3]], {}),
    ("quantile", [(3, 7), ["const", [0.25, 0.5]]], {"axis": 1, "keepdims": True}),
    *[("quantile", [(2, 6), ["const", 0.45]], {"axis": 1, "method": method})
      for method in ("linear", "lower", "higher", "midpoint", "nearest")],
    ("percentile", [(5, 7), ["const", 30.0]], {"axis": 0}),
    ("median", [(2, 3, 5)], {"axis": (0, 2)}),
    ("median", [(2, 4)], {}),
    ("ptp", [(2, 5)], {"axis": 1}),
    ("diff", [(3, 5)], {"n": 2}),
    ("diff", [(3, 5)], {"axis": 0}),
    ("trapezoid", [(3, 5)], {"dx": 0.5}),
    ("trapezoid", [(3, 5), (3,)], {"axis": 0}),
    ("corrcoef", [(3, 7)], {}),
    *[("correlate", [(7,), (m,)], {"mode": mode}) for m in (2, 3) for mode in ("valid", "same", "full")],
    ("correlate", [(3,), (7,)], {}),
    *[(name, [("holes", (3, 5))], options) for options in ({"axis": 0}, {"axis": 1, "keepdims": True}) for name in (
        "nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin")],
    ("nansum", [("holes", (3, 5))], {}),
    ("nancumsum", [("holes", (3, 5))], {"axis": 1}),
    ("nancumprod", [("holes", (3, 5))], {"axis": 0}),
    *[("nanquantile", [("holes", (3, 5)), ["const", 0.3]], {"axis": axis, "method": method})
      for axis, method in ((0, "linear"), (1, "higher"))],
    ("nanquantile", [("holes", (3, 5)), ["const", [0.25, 0.5]]], {"axis": 1, "keepdims": True}),
    ("nanpercentile", [("holes", (3, 5)), ["const", 30.0]], {}),
    ("nanmedian", [("holes", (2, 3, 5))], {"axis": (0, 2)}),
    # products
    ("cdist", [(2, 3, 5), (2, 7, 5)], {}),
    ("cdist", [(3, 2), (2, 5, 2)], {}),
    *[("matmul", [a, b], {}) for a, b in (
        ((2, 3), (3, 5)), ((3,), (3,)), ((3,), (3, 5)), ((2, 3), (3,)), ((7, 2, 3), (3, 5)), ((2, 3), (7, 3, 5)))],
    *[("dot", [a, b], {}) for a, b in (((2, 3), (3, 5)), ((7, 2, 3), (3,)), ((2, 3), (5, 3, 7)))],
    ("outer", [(3,), (5,)], {}),
    ("inner", [(2, 3), (5, 3)], {}),
    ("kron", [(2, 3), (5, 2)], {}),
    ("cross", [(2, 3), (2, 3)], {}),
    ("cross", [(3, 5), (5, 3)], {"axisa": 0}),
    ("vander", [(3,)], {}),
    ("vander", [(3,)], {"N": 4, "increasing": True}),
    ("vdot", [(2, 3), (2, 3)], {}),
    ("tensordot", [(2, 3, 5), (3, 5, 7)], {"axes": 2}),
    ("tensordot", [(2, 3, 5), (5, 7, 2)], {"axes": ([0, 2], [2, 0])}),
    ("einsum", [["const", "ij,jk->ik"], (2, 3), (3, 5)], {}),
    ("einsum", [["const", "bij,bjk->bk"], (2, 3, 5), (2, 5, 7)], {}),
    ("einsum", [["const", "...i,ij->...j"], (2, 5, 3), (3, 7)], {}),
    ("einsum", [["const", "ij->j"], (2, 3)], {}),
    ("einsum", [["const", "ij,kl"], (2, 3), (5, 2)], {}),
    # arranging
    ("reshape", [(2, 6), ["const", (3, -1)]], {}),
    ("transpose", [(2, 3, 5)], {}),
    ("transpose", [(2, 3, 5)], {"axes": (1, 2, 0)}),
    ("swapaxes", [(2, 3, 5)], {"axis1": 0, "axis2": -1}),
    ("moveaxis", [(2, 3, 5)], {"source": 0, "destination": -1}),
    ("expand_dims", [(2, 3)], {"axis": 1}),
    ("squeeze", [(2, 1, 3)], {"axis": 1}),
    ("ravel", [(2, 3)], {}),
    ("broadcast_to", [(3,), ["const", (2, 3)]], {}),
    ("append", [(2, 3), (5, 3)], {"axis": 0}),
    ("repeat", [(2, 3)], {"repeats": 2, "axis": 1}),
    ("repeat", [(2, 3)], {"repeats": 3}),
    ("tile", [(2, 3)], {"repeats": (2, 2)}),
    ("pad", [(2, 3)], {"pad_width": ((1, 2), (0, 1))}),
    ("pad", [(3, 4)], {"pad_width": ((1, 2), (0, 3)), "mode": "reflect"}),
    ("flip", [(2, 3)], {"axis": 1}),
    ("flip", [(2, 3)], {}),
    ("fliplr", [(2, 3)], {}),
    ("flipud", [(2, 3)], {}),
    ("rot90", [(2, 3)], {}),
    ("rot90", [(2, 3, 5)], {"k": 3, "axes": (1, 2)}),
    ("roll", [(2, 5)], {"shift": 2, "axis": 1}),
    # choosing
    ("take", [(5, 3), ["const", np.array([[0, 4], [0, -1]])]], {"axis": 0}),
    ("take", [(2, 5), ["const", np.array([4, 1, 1])]], {"axis": 1}),
    ("take", [(2, 3), ["const", np.array([5, 0, 5])]], {}),
    ("take_along_axis", [(2, 3), ["const", np.array([[0, 2, 2, 1], [1, 1, 0, 2]])]], {"axis": 1}),
    ("slice", [(5, 7), ["const", (1, 2)], ["const", (3, 2)]], {}),
    ("slice_update", [(5, 7), ["const", (1, 2)], (3, 2)], {}),
    ("scatter", [["const", np.array([[0, 1], [2, 0], [0, 1]])], (3,), ["const", (3, 2)]], {}),
    ("scatter_update", [(5,), ["const", np.array([[1], [3]])], (2,)], {}),
    ("sort", [(2, 5)], {}),
    ("sort", [(5, 3)], {"axis": 0}),
    ("triu", [(3, 5)], {"k": 1}),
    ("tril", [(2, 3, 5)], {}),
    ("diag", [(3,)], {"k": 1}),
    ("diag", [(3, 5)], {"k": -1}),
    ("diagonal", [(3, 5)], {"offset": 1}),
    ("diagflat", [(2, 2)], {"k": 1}),
    ("get_item", [(3, 5), ["const", (1, slice(None, None, 2))]], {}),
    ("trace", [(3, 3)], {}),
    # networks
    *[(name, [(5, 7)], {}) for name in (
        "relu", "leaky_relu", "relu6", "elu", "selu", "celu", "sigmoid", "silu", "gelu", "softplus", "softsign",
        "log_sigmoid", "hard_sigmoid", "hard_silu", "tanh_shrink", "hard_tanh", "hard_shrink", "soft_shrink",
        "squareplus", "sparse_plus", "softmax", "log_softmax", "normalize", "sparsemax")],
    ("sparsemax", [(5, 3)], {"axis": 0}),
    ("gelu", [(5, 7)], {"approximate": False}),
    ("threshold", [(5, 7)], {"threshold": 0.3, "default_value": 2.0}),
    ("glu", [(3, 8)], {}),
    ("softmax", [(3, 5, 2)], {"axis": 1}),
    ("log_softmax", [(3, 5, 2)], {"axis": 0}),
    ("normalize", [(3, 5)], {"axis": 0, "order": 1}),
    ("binary_crossentropy", [["const", np.array([[0.0, 1.0, 1.0]])], ("probability", (1, 3))], {}),
    ("binary_crossentropy", [["const", np.array([[0.0, 1.0, 1.0]])], (1, 3)], {"from_logits": True}),
    ("categorical_crossentropy", [["const", np.eye(3)[:2]], ("probability", (2, 3))], {}),
    ("categorical_crossentropy", [["const", np.eye(3)], (3, 3)], {"from_logits": True, "axis": 0}),
    ("sparse_categorical_crossentropy", [["const", np.array([2, 0])], ("probability", (2, 3))], {}),
    ("sparse_categorical_crossentropy", [["const", np.array([2, 0])], (2, 3)], {"from_logits": True}),
    ("batch_normalization", [(5, 3, 2), (3,), ("positive", (3,)), ["const", 1], (3,), (3,)], {}),
    ("batch_normalization", [(5, 3), (3,), ("positive", (3,)), ["const", -1]], {"epsilon": 0.1}),
    ("layer_normalization", [(5, 7), (7,), (7,)], {"epsilon": 1e-3}),
    ("layer_normalization", [(2, 5, 7)], {"axis": (1, 2)}),
    ("rms_normalization", [(5, 7), (7,)], {}),
    ("dot_product_attention", [(2, 3, 2, 5), (2, 4, 2, 5), (2, 4, 2, 5)], {}),
    ("dot_product_attention", [(2, 3, 2, 5), (2, 3, 2, 5), (2, 3, 2, 5)], {"is_causal": True, "scale": 0.3}),
    ("dot_product_attention", [(1, 2, 1, 3), (1, 3, 1, 3), (1, 3, 1, 3)],
     {"mask": np.array([[[[True, False, True], [True, True, False]]]])}),
    ("psnr", [(2, 3), (2, 3), ["const", 5.0]], {}),
    *[(name, [(5, 2), ["const", np.array([0, 2, -1, 0, 2])], ["const", 4]], {})
      for name in ("segment_sum", "segment_prod")],
    *[(name, [(5, 2), ["const", np.array([0, 2, -1, 0, 1])], ["const", 3]], {})
      for name in ("segment_max", "segment_min")],
    # windows
    ("conv", [(2, 7, 3), (3, 3, 2)], {"strides": 2, "padding": "same"}),
    ("conv", [(2, 9, 3), (3, 3, 2)], {"dilation_rate": 2}),
    ("conv", [(2, 5, 6, 3), (3, 2, 3, 2)], {"strides": (2, 1), "padding": "same"}),
    ("conv", [(2, 5, 6), (3, 2, 9)], {"padding": "same"}),
    *[("conv_transpose", [(2, 5, 3), (k, 2, 3)], {"strides": s, "padding": padding})
      for k, s in ((3, 2), (4, 3), (2, 3)) for padding in ("valid", "same")],
    ("conv_transpose", [(2, 3, 4, 3), (3, 3, 2, 3)], {"strides": 2, "padding": "same", "output_padding": 1}),
    ("depthwise_conv", [(2, 5, 6, 3), (3, 3, 3, 2)], {"padding": "same"}),
    ("separable_conv", [(2, 5, 6, 3), (3, 3, 3, 2), (1, 1, 6, 5)], {}),
    ("max_pool", [(2, 7, 3)], {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("max_pool", [(2, 5, 6, 3)], {"pool_size": 2}),
    ("max_pool", [(2, 5, 6, 3)], {"pool_size": (7, 3), "strides": (2, 1), "padding": "same"}),
    ("average_pool", [(2, 5, 6, 3)], {"pool_size": (7, 3), "strides": (2, 1), "padding": "same"}),
    ("average_pool", [(2, 5, 6, 3)], {"pool_size": (3, 2), "strides": 2, "padding": "same"}),
    ("average_pool", [(2, 7, 3)], {"pool_size": 2}),
    ("adaptive_average_pool", [(2, 7, 5, 3)], {"output_size": (3, 2)}),
    ("adaptive_max_pool", [(2, 3, 7)], {"output_size": 4, "data_format": "channels_first"}),
    ("unfold", [(2, 3, 5, 6)], {"kernel_size": (2, 3), "dilation": (2, 1), "padding": 1, "stride": (2, 1)}),
    ("fold", [(1, 12, 4)], {"output_size": (3, 2), "kernel_size": (2, 3), "padding": (0, 1)}),
    ("depth_to_space", [(2, 3, 2, 8)], {"block_size": 2}),
    ("space_to_depth", [(2, 3, 4, 6)], {"block_size": 2, "data_format": "channels_first"}),
    ("extract_sequences", [(2, 7), ["const", 3], ["const", 2]], {}),
    # pictures
    *[("image.resize", [(2, 5, 7, 3), ["const", (3, 11)]], {"interpolation": method, "antialias": antialias})
      for method in ("bilinear", "bicubic", "lanczos3", "lanczos5") for antialias in (False, True)],
    ("image.resize", [(5, 7, 3), ["const", (3, 11)]], {"interpolation": "nearest"}),
    ("image.resize", [(2, 3, 5, 8), ["const", (4, 3)]],
     {"crop_to_aspect_ratio": True, "data_format": "channels_first"}),
    ("image.resize", [(2, 4, 9, 2), ["const", (5, 5)]], {"pad_to_aspect_ratio": True, "fill_value": 2.0}),
    ("image.rgb_to_grayscale", [(2, 3, 5, 3)], {}),
    ("image.rgb_to_grayscale", [(3, 3, 5)], {"data_format": "channels_first"}),
    ("image.pad_images", [(2, 3, 5, 2), ["const", 1], ["const", 2]], {"target_height": 7, "right_padding": 0}),
    ("image.crop_images", [(2, 7, 5), ["const", 0], ["const", 2]],
     {"bottom_cropping": 1, "target_width": 2, "data_format": "channels_first"}),
    ("image.extract_patches", [(2, 5, 7, 3), ["const", (2, 3)]], {"strides": 2, "padding": "same"}),
    ("image.extract_patches", [(7, 5, 2), ["const", 2]], {}),
    ("image.extract_patches", [(3, 5, 4, 2), ["const", (2, 3, 2)]], {"strides": 1}),
    # matrices
    ("pinv", [(5, 3)], {}),
    ("pinv", [(2, 3, 5)], {}),
    ("lstsq", [(5, 3), (5, 2)], {}),
    ("lstsq", [(5, 3), (5,)], {}),
    ("inv", [("regular", (3, 3))], {}),
    ("inv", [("regular", (2, 3, 3))], {}),
    ("det", [("regular", (2, 3, 3))], {}),
    ("svd", [(3, 5)], {"compute_uv": False}),
    ("svd", [(2, 5, 3)], {"compute_uv": False}),
    *[("solve_triangular", [("regular", (3, 3)), (3, 2)], {"lower": lower}) for lower in (True, False)],
    ("solve", [("regular", (3, 3)), (3, 2)], {}),
    ("solve", [("regular", (3, 3)), (3,)], {}),
]  # fmt: skip

# Calls of what has no slope, as (name, arguments, keyword arguments), for numpy's functions of these names too.
I, J = np.array([[12, 5, 0], [7, 18, 9]], np.int32), np.array([[8, 5, 3], [2, 1, 4]], np.int32)
X = np.array([[3.0, -1.5, -0.0], [np.inf, np.nan, -np.inf]], np.float32)
PLAIN = [
    *[(name, (I, J), {}) for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm", "left_shift",
                                      "right_shift", "isin", "isclose", "allclose", "heaviside")],
    *[(name, (X,), {}) for name in ("trunc", "signbit", "isposinf", "isneginf", "nonzero", "nan_to_num")],
    ("nan_to_num", (X,), {"nan": 1.0, "posinf": 2.0, "neginf": 3.0}),
    ("isclose", (np.float32([1, np.nan, 2]), np.float32([1, np.nan, 3])), {"equal_nan": True}),
    ("allclose", (X, X), {"equal_nan": True}),
    ("isin", (I, [5, 7]), {"invert": True}),
    ("unravel_index", ([5, 0, 3], (2, 3)), {}),
    ("digitize", (J, [2, 4, 5]), {}),
    ("searchsorted", ([1, 3, 3, 9], J[0]), {"side": "right"}),
    ("bincount", (I[0],), {}),
    ("bincount", (I[0],), {"weights": np.float32([0.5, 1.0, 2.0]), "minlength": 15}),
    ("histogram", (J[0].astype(np.float32),), {"bins": 4}),
    ("histogram", (J[0],), {"bins": 2, "range": (0, 6)}),
    ("tri", (2, 3, 1), {}),
    ("logspace", (0, 2, 5), {}),
    ("geomspace", (1, 16, 5), {}),
    ("bartlett", (5,), {}), ("blackman", (5,), {}), ("hamming", (6,), {}), ("hanning", (7,), {}),
    ("kaiser", (5, 3.0), {}),
    ("array_split", (np.arange(7, dtype=np.int32), 3), {}),
    ("array_split", (I, 2), {"axis": 1}),
    ("hsplit", (I, 3), {}), ("hsplit", (I[0], 3), {}), ("vsplit", (I, 2), {}), ("dsplit", (I[None], 3), {}),
    *[(name, ([I, J],), {}) for name in ("hstack", "vstack", "dstack")],
    *[(name, ([I[0], J[0]],), {}) for name in ("hstack", "dstack")],
    ("select", ([I > 10, I < 6], [I, -I], 100), {}),
]  # fmt: skip


def arguments(case, dtype):
    """(the arguments of a case, whether each has a gradient)"""
    name, kinds, _ = case
    rng = np.random.default_rng(sum(map(ord, name)))
    made, moves = [], []
    for kind in kinds:
        const = isinstance(kind, list)
        domain, shape = kind if isinstance(kind, tuple) and kind and isinstance(kind[0], str) else ("all", kind)
        moves.append(not const)
        if const:
            x = kind[1]
            made.append(x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x)
        else:
            size = {"all": rng.normal, "positive": lambda size: rng.uniform(0.5, 2.0, size),
                    "unit": lambda size: rng.uniform(-0.9, 0.9, size),
                    "probability": lambda size: rng.uniform(0.1, 0.9, size),
                    "regular": lambda size: rng.uniform(-0.5, 0.5, size) + 2 * np.eye(size[-1]),
                    "holes": lambda size: np.where(np.arange(np.prod(size)).reshape(size) % 4 == 1, np.nan,
                                                   rng.normal(size=size)),
                    "above one": lambda size: rng.uniform(1.2, 3.0, size)}[domain](size=shape)  # fmt: skip
            made.append(np.asarray(size, dtype))
    return made, moves


def function_of(module, name):
    """That of a case, which may be one of a module of the module's."""
    return operator.attrgetter(name)(module)


def label(case):
    name, kinds, options = case
    shapes = ["..." if isinstance(kind, list) else str(kind) for kind in kinds]
    return f"{name}({', '.join(shapes + [f'{k}={v}' for k, v in options.items()])})"


def assert_gradient(function, x):
    """The gradient of a function of ops, by central differences."""
    tensor = ops.convert_to_tensor(x)
    with fastkeras.GradientTape() as tape:
        tape.watch(tensor)
        y = function(tensor)
    dy = np.random.default_rng(3).normal(size=y.shape)
    gradient = tape.gradient(y, tensor, ops.convert_to_tensor(dy))
    assert_close(gradient, central_difference(lambda x: np.asarray(function(x)), x, dy), 1e-6)
