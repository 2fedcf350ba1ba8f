"""Layers that make one tensor of several: Add()([a, b]), or the function of the same name, add([a, b])."""

import numpy as np

from fastkeras._kernels import merging as kernel
from fastkeras._kernels import normalization as normalization_kernel
from fastkeras.core.rows import Rows, dense
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.layers.layer import Layer


def _as_arrays(xs, run):
    """The inputs as arrays, and for each the function that takes its gradient back."""
    return zip(*(dense(x, run, f"dense_{i}") for i, x in enumerate(xs)), strict=True)


def _index_of_all(xs):
    """The index of inputs that are the same rows in the same order (core/rows.py), else None."""
    index = xs[0].index if type(xs[0]) is Rows else None
    return index if index is not None and all(type(x) is Rows and x.index is index for x in xs) else None


class Merge(Layer):
    """What all of them share: a list of inputs, and errors that name the layer."""

    supports_masking = True
    takes_list = takes_several = True

    def __call__(self, inputs, training=None, mask=None):
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}): expected a list of inputs. Received: {inputs!r:.200}"
            )
        symbolic = sum(isinstance(x, SymbolicTensor) for x in inputs)
        if 0 < symbolic < len(inputs):
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}): expected arrays, or tensors of a model, not both. "
                f"Received: {inputs!r:.200}"
            )
        if not symbolic:
            inputs = [x if isinstance(x, np.ndarray) else self._as_array(x) for x in inputs]
        return super().__call__(inputs, training=training, mask=mask)

    def refuse(self, expected, shapes):
        raise ValueError(f"Layer '{self.name}' ({type(self).__name__}): expected {expected}. Received: shapes {shapes}")

    def check_input_shape(self, input_shape):
        self.compute_output_shape(input_shape)

    def forward(self, x, run):
        if type(x) is list:
            return self.forward_list(x, run)
        y, backward = self.forward_list([x], run)
        return y, lambda dy: backward(dy)[0]

    def forward_list(self, xs, run):
        """forward for a list of inputs: backward(dy) gives the list of their gradients."""
        raise NotImplementedError


def _shapes(input_shape):
    """The shapes of a layer's inputs, which may be a single one, as a list of tuples."""
    return [tuple(s) for s in input_shape] if isinstance(input_shape, list) else [tuple(input_shape)]


# --- element by element ----------------------------------------------------------------------------------------------


def _widened(shape, rank):
    """The shape with extents of 1 after the batch's, so that it has `rank` axes."""
    return (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:])


def _summed(dy, shape):
    """The gradient of an input of this shape, given that of the input as repeated along axes of extent 1."""
    if dy.shape == shape:
        return dy
    wide = _widened(shape, dy.ndim)
    repeated = tuple(axis for axis, (n, m) in enumerate(zip(wide, dy.shape, strict=True)) if n != m)
    return dy.sum(axis=repeated).reshape(shape)  # a copy even if nothing is summed: dy may be another input's, too


class Elementwise(Merge):
    """y = merge(x_0, x_1, ...), element by element.

    An input with fewer axes gets axes of extent 1 after the batch's; along an axis of extent 1 it is repeated. Several
    inputs that are the same rows in the same order (core/rows.py) are merged row by row.

    A step is masked if it is in all inputs; where an input has no mask, there is none.
    """

    inputs_wanted = None  # how many, if not any number

    def compute_output_shape(self, input_shape):
        shapes = _shapes(input_shape)
        if self.inputs_wanted not in (None, len(shapes)):
            self.refuse(f"{self.inputs_wanted} inputs", shapes)
        if () in shapes:
            self.refuse("inputs with a batch axis", shapes)
        rank = max(map(len, shapes))
        batch, *extents = zip(*(_widened(shape, rank) for shape in shapes), strict=True)
        if len(set(batch) - {None}) > 1 or any(len(set(sizes) - {None, 1}) > 1 for sizes in extents):
            self.refuse("inputs whose extents are the same, or but for the batch 1, on each axis", shapes)
        return (next((n for n in batch if n is not None), None), *map(_common_extent, extents))

    def compute_mask(self, x, mask=None):
        masks = mask if isinstance(mask, list) else [mask]
        return None if any(m is None for m in masks) else np.logical_or.reduce(masks)

    def forward_list(self, xs, run):
        masks = run.masks if run.masks and any(m is not None for m in run.masks) else None
        index = _index_of_all(xs) if masks is None else None
        if index is not None:
            y, undo = self._repeated([x.values for x in xs], None, run)
            return Rows(y, index), undo
        arrays, backs = _as_arrays(xs, run)
        y, undo = self._repeated(arrays, masks, run)
        return y, lambda dy: [back(dx) for back, dx in zip(backs, undo(dy), strict=True)]

    def _repeated(self, xs, masks, run):
        """y, and the list of gradients for dy, of inputs that still have shapes of their own."""
        shape = self.compute_output_shape([x.shape for x in xs])
        same_rank = all(x.ndim == len(shape) for x in xs)
        wide = []
        for i, x in enumerate(xs):
            if x.shape != shape:
                x, narrow = run.buffer(f"repeated_{i}", shape), x
                np.copyto(x, narrow.reshape(_widened(narrow.shape, len(shape))))
            wide.append(x)
        if masks is not None and same_rank:
            masks = [m if m is None else m.reshape(m.shape + (1,) * (len(shape) - m.ndim)) for m in masks]
            y, undo = self.merge_masked(wide, masks, run)
        else:
            y, undo = self.merge(wide, run)
        return y, lambda dy: [_summed(dx, x.shape) for dx, x in zip(undo(dy), xs, strict=True)]

    def merge(self, xs, run):
        """y and undo(dy) -> [dx_0, dx_1, ...], for arrays of one shape; the same array may stand for several dx."""
        raise NotImplementedError

    def merge_masked(self, xs, masks, run):
        """The same where some inputs have masks, bool arrays that numpy broadcasts to the inputs, and others None."""
        return self.merge(xs, run)


def _common_extent(sizes):
    """What equal extents, or 1, come to; as in Keras, not known unless all are."""
    return None if None in sizes else next((n for n in sizes if n != 1), 1)


class _Sum(Elementwise):
    """y = sum_i w_i x_i"""

    def factors(self, n):
        """w, for n inputs."""
        raise NotImplementedError

    def merge(self, xs, run):
        w = self.factors(len(xs))
        y = run.buffer("y", xs[0].shape)
        if len(xs) == 1:
            kernel.scale(y, xs[0], w[0])
        else:
            kernel.sum(y, xs[0], xs[1], w[0], w[1])
        for x, factor in zip(xs[2:], w[2:], strict=True):
            kernel.sum(y, y, x, 1.0, factor)

        def undo(dy):
            scaled = {1.0: dy}
            for factor in set(w) - {1.0}:
                scaled[factor] = run.buffer(f"dx_{factor}", dy.shape)
                kernel.scale(scaled[factor], dy, factor)  # dx_i = w_i dy
            return [scaled[factor] for factor in w]

        return y, undo


class Add(_Sum):
    """y = x_0 + x_1 + ..."""

    def factors(self, n):
        return [1.0] * n


class Subtract(_Sum):
    """y = x_0 - x_1"""

    inputs_wanted = 2

    def factors(self, n):
        return [1.0, -1.0]


class Average(_Sum):
    """y = (x_0 + x_1 + ...) / their number"""

    def factors(self, n):
        return [1.0 / n] * n


class Multiply(Elementwise):
    """y = x_0 x_1 ...

    An input's masked steps count as 1, and what is masked in all inputs is 0.
    """

    def merge(self, xs, run):
        products = [xs[0]]  # of the first one, two, ... inputs
        for i, x in enumerate(xs[1:]):
            y = run.buffer(f"product_{i}", x.shape)
            kernel.multiply(y, products[-1], x)
            products.append(y)

        def undo(dy):
            dxs = []
            for i in range(len(xs) - 1, 0, -1):
                dx = run.buffer(f"dx_{i}", dy.shape)
                kernel.multiply(dx, dy, products[i - 1])  # dx_i = dy (x_0 ... x_{i-1}) (x_{i+1} ...)
                kernel.multiply(dy, dy, xs[i])
                dxs.append(dx)
            return [dy, *reversed(dxs)]

        return products[-1], undo

    def merge_masked(self, xs, masks, run):
        ones = [x if m is None else np.where(m, x, np.float32(1)) for x, m in zip(xs, masks, strict=True)]
        y, undo = self.merge(ones, run)
        kept = None if any(m is None for m in masks) else np.logical_or.reduce(masks)

        def undo_masked(dy):
            dxs = undo(dy if kept is None else dy * kept)
            return [dx if m is None else dx * m for dx, m in zip(dxs, masks, strict=True)]

        return y if kept is None else y * kept, undo_masked


class _Extreme(Elementwise):
    """Keeps the largest (sign 1) or the smallest (sign -1) of the inputs' elements; of equal ones the first, which
    alone receives their gradient. A masked step of one input does not count if the others have a value there."""

    sign = 1

    def merge(self, xs, run):
        y, winner = self._first(xs[0], run)
        for i, x in enumerate(xs[1:], start=1):
            kernel.extreme(y, winner, x, self.sign, i)
        return y, self._undo(winner, len(xs), run)

    def merge_masked(self, xs, masks, run):
        y, winner = self._first(xs[0], run)
        counts = masks[0]  # where y is from a step that is not masked; None for everywhere
        for i, (x, mask) in enumerate(zip(xs[1:], masks[1:], strict=True), start=1):
            better = self.sign * x > self.sign * y
            if counts is not None:
                better = better | ~counts
            if mask is not None:
                better = better & mask
            np.copyto(y, x, where=better)
            winner[better] = i
            counts = None if counts is None or mask is None else counts | mask
        return y, self._undo(winner, len(xs), run)

    @staticmethod
    def _first(x, run):
        y, winner = run.buffer("y", x.shape), run.buffer("winner", x.shape, np.int32)
        np.copyto(y, x)
        winner.fill(0)
        return y, winner

    @staticmethod
    def _undo(winner, n, run):
        def undo(dy):
            dxs = [run.buffer(f"dx_{i}", dy.shape) for i in range(n)]
            for i, dx in enumerate(dxs):
                kernel.extreme_backward(dx, dy, winner, i)
            return dxs

        return undo


class Maximum(_Extreme):
    """y = max(x_0, x_1, ...), element by element."""


class Minimum(_Extreme):
    """y = min(x_0, x_1, ...), element by element."""

    sign = -1


# --- side by side ----------------------------------------------------------------------------------------------------


class Concatenate(Merge):
    """The inputs one behind the other along `axis`; on the other axes their extents are the same.

    Masks are joined likewise if they have that axis. Else a step is masked if it is in all inputs; one without a mask
    masks nothing.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise ValueError(f"Concatenate: `axis` must be an integer. Received: axis={axis!r}")
        self.axis = int(axis)

    def compute_output_shape(self, input_shape):
        shapes = _shapes(input_shape)
        rank, axis = len(shapes[0]), self.axis
        if any(len(shape) != rank for shape in shapes) or not -rank <= axis < rank:
            self.refuse(f"inputs with equally many axes, one of which is axis {axis}", shapes)
        extents = [set(sizes) for sizes in zip(*shapes, strict=True)]
        joined = [shape[axis] for shape in shapes]
        del extents[axis]
        if any(len(sizes - {None}) > 1 for sizes in extents):
            self.refuse(f"inputs whose extents are the same but on axis {axis}", shapes)
        common = [next((n for n in sizes if n is not None), None) for sizes in extents]
        common.insert(axis % rank, None if None in joined else sum(joined))
        return tuple(common)

    def compute_mask(self, x, mask=None):
        xs, masks = (x, mask) if isinstance(x, list) else ([x], [mask])
        if all(m is None for m in masks):
            return None
        axes = max(m.ndim for m in masks if m is not None)
        masks = [np.ones(x.shape[:axes], bool) if m is None else m for x, m in zip(xs, masks, strict=True)]
        axis = self.axis % len(xs[0].shape)
        return np.concatenate(masks, axis) if axis < axes else np.logical_or.reduce(masks)

    def forward_list(self, xs, run):
        rank = len(xs[0].shape)
        axis = self.axis % rank
        index = _index_of_all(xs) if axis == rank - 1 else None
        if index is not None:
            y, undo = self._joined([x.values for x in xs], 1, run)
            return Rows(y, index), undo
        arrays, backs = _as_arrays(xs, run)
        y, undo = self._joined(arrays, axis, run)
        return y, lambda dy: [back(dx) for back, dx in zip(backs, undo(dy), strict=True)]

    def _joined(self, xs, axis, run):
        ends = np.cumsum([x.shape[axis] for x in xs])
        y = run.buffer("y", (*xs[0].shape[:axis], int(ends[-1]), *xs[0].shape[axis + 1 :]))
        np.concatenate(xs, axis, out=y)

        def undo(dy):
            dxs = [run.buffer(f"dx_{i}", x.shape) for i, x in enumerate(xs)]
            for dx, part in zip(dxs, np.split(dy, ends[:-1], axis), strict=True):
                np.copyto(dx, part)
            return dxs

        return y, undo

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


# --- products --------------------------------------------------------------------------------------------------------

_LONGEST = 1e7  # what a vector is scaled by at most: 1 / epsilon, as in Keras


class Dot(Merge):
    """y[b, i, j] = sum_k x_0[b, i, k] x_1[b, j, k]: products of two inputs, summed over an axis of each.

    axes: the axis, or the pair of axes, neither of them the batch's. i and j stand for whatever other axes there are;
    where there are none, y is (B, 1). normalize: the vectors along k are first scaled to length one, so that their
    product is the cosine of their angle. There is no mask behind it.
    """

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        pair = [axes, axes] if isinstance(axes, int) else axes
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(isinstance(a, int) for a in pair):
            raise ValueError(f"Dot: `axes` must be an integer or two of them. Received: axes={axes!r}")
        self.axes = axes if isinstance(axes, int) else tuple(axes)
        self.normalize = bool(normalize)

    def _axes(self, shapes):
        pair = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        if len(shapes) != 2:
            self.refuse("2 inputs", shapes)
        if any(not -len(s) <= axis < len(s) or axis % len(s) == 0 for axis, s in zip(pair, shapes, strict=True)):
            self.refuse(f"inputs that have the axes {self.axes}, and them not as the batch's", shapes)
        return [axis % len(shape) for axis, shape in zip(pair, shapes, strict=True)]

    def compute_output_shape(self, input_shape):
        shapes = _shapes(input_shape)
        axes = self._axes(shapes)
        summed = {shape[axis] for shape, axis in zip(shapes, axes, strict=True)} - {None}
        batch = {shape[0] for shape in shapes} - {None}
        if len(summed) > 1 or len(batch) > 1:
            self.refuse(f"inputs with the same extent on the axes {self.axes}, and on the batch's", shapes)
        others = [n for s, axis in zip(shapes, axes, strict=True) for i, n in enumerate(s) if i not in (0, axis)]
        return (batch.pop() if batch else None, *(others or [1]))

    def compute_mask(self, x, mask=None):
        return None

    def forward_list(self, xs, run):
        arrays, backs = _as_arrays(xs, run)
        axes = self._axes([a.shape for a in arrays])
        a, undo_a = self._matrix(arrays[0], axes[0], "a", run)
        b, undo_b = self._matrix(arrays[1], axes[1], "b", run)
        product = run.buffer("y", (len(a), a.shape[1], b.shape[1]))
        kernel.products(product, a, b, trans_b=True)

        def backward(dy):
            dy = dy.reshape(product.shape)
            da, db = run.buffer("da", a.shape), run.buffer("db", b.shape)
            kernel.products(da, dy, b)
            kernel.products(db, dy, a, trans_a=True)
            return [backs[0](undo_a(da)), backs[1](undo_b(db))]

        return product.reshape(self.compute_output_shape([a.shape for a in arrays])), backward

    def _matrix(self, x, axis, name, run):
        """x as matrices (B, places, K), K being the axis, with rows of length one if asked for; and what takes their
        gradient back."""
        moved = np.moveaxis(x, axis, -1)
        y = run.buffer(name, moved.shape)
        np.copyto(y, moved)
        rows = y.reshape(-1, y.shape[-1]) if y.size else y.reshape(0, y.shape[-1])
        if self.normalize:
            r = run.buffer(f"scale_of_{name}", rows.shape[:1])
            normalization_kernel.unit_forward(rows, r, rows, _LONGEST)

        def undo(d):
            d = d.reshape(rows.shape)
            if self.normalize:
                normalization_kernel.unit_backward(d, d, rows, r, _LONGEST)
            return np.ascontiguousarray(np.moveaxis(d.reshape(moved.shape), -1, axis))

        return y.reshape(len(x), int(np.prod(moved.shape[1:-1])), x.shape[axis]), undo

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


# --- functions -------------------------------------------------------------------------------------------------------


def add(inputs, **kwargs):
    """Add(**kwargs)(inputs)"""
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """Subtract(**kwargs)(inputs)"""
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """Multiply(**kwargs)(inputs)"""
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """Average(**kwargs)(inputs)"""
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """Maximum(**kwargs)(inputs)"""
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """Minimum(**kwargs)(inputs)"""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """Concatenate(axis, **kwargs)(inputs)"""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs, axes=-1, **kwargs):
    """Dot(axes, **kwargs)(inputs)"""
    return Dot(axes, **kwargs)(inputs)
