"""Data: what people pass to fit, evaluate and predict, as batches of prepared arrays.

A source of batches yields (xs, y, sample_weight): a list of inputs as the model wants them (float32, or int32 ids),
the targets as the loss wants them, and float32 weights or None.
"""

import numpy as np

from fastkeras._kernels import rows as rows_kernel

_KINDS = {"x": "inputs", "y": "targets", "sample_weight": "weights"}


def to_array(name, value):
    """`value` (array, list, pandas frame or series, tensor) as a numeric numpy array; errors name the argument."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"`{name}`: the rows have different lengths; pad them first (pad_sequences). Received: {_brief(value)}"
        ) from error
    if array.dtype == object:
        try:
            array = array.astype(np.float32)
        except (TypeError, ValueError):
            raise TypeError(f"`{name}` must hold numbers, in rows of equal length. Received: {_brief(value)}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must hold numbers. Received: dtype {array.dtype}, {_brief(value)}")
    return array


def _brief(value):
    text = repr(value)
    return text if len(text) <= 80 else f"{type(value).__name__} {text[:77]}..."


def _refuse_nan(name, array):
    if array.dtype.kind == "f" and not np.isfinite(array.sum(dtype=np.float64)) and np.isnan(array).any():
        where = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise ValueError(f"`{name}` holds NaN (not a number). Replace or drop such values. Received: NaN at {where}")


def prepare_inputs(model, x, name="x"):
    """The model's inputs as a list of C-contiguous arrays; builds a Sequential that was waiting for a shape."""
    wanted = model.inputs
    given = _inputs_as_list(x, wanted)
    arrays = [to_array(name, item) for item in given]
    for array in arrays:
        if array.ndim == 0:
            raise ValueError(f"`{name}` must have a batch axis. Received: a single number, {_brief(x)}")
    if wanted is None:
        model.build_for([a.shape if a.ndim > 1 else (*a.shape, 1) for a in arrays])
        wanted = model.inputs
    if len(arrays) != len(wanted):
        raise ValueError(
            f"Model '{model.name}': expected {len(wanted)} inputs ({[t.name for t in wanted]}). Received: {len(arrays)}"
        )
    return [_prepare_input(model, slot, a, name) for slot, a in enumerate(arrays)]


def _inputs_as_list(x, wanted):
    """A list with one item per input. A list of numbers or rows is one input; a dict goes by the inputs' names."""
    if isinstance(x, dict):
        names = [t.name for t in wanted] if wanted else list(x)
        missing = [n for n in names if n not in x]
        if missing:
            raise ValueError(f"`x`: no data for the inputs {missing}. Received: keys {list(x)}")
        return [x[n] for n in names]
    if isinstance(x, (list, tuple)):
        several = len(wanted) > 1 if wanted else False
        if several or (len(x) == 1 and isinstance(x[0], np.ndarray) and (wanted is None or _fits(x[0], wanted[0]))):
            return list(x)
    return [x]


def _fits(array, tensor):
    return array.ndim == tensor.ndim


def _prepare_input(model, slot, array, name):
    tensor, dtype = model.inputs[slot], np.dtype(model.graph.input_dtype(slot))
    if array.ndim == tensor.ndim - 1 and tensor.shape[-1] in (1, None):
        array = array[..., None]  # one feature per sample, given without its axis
    elif array.ndim == tensor.ndim + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    takers = [layer for layer, reads, _ in model.graph.steps if slot in reads]
    if not tensor.accepts(array.shape):
        raise ValueError(
            f"`{name}`: layer '{takers[0].name}' ({type(takers[0]).__name__}) of model '{model.name}' expects an input "
            f"of shape {tensor.shape}. Received: shape {array.shape}"
        )
    for layer in takers:
        layer.check_input_shape(array.shape)
    if dtype == np.int32 and array.dtype.kind == "f":
        _refuse_nan(name, array)
    return np.ascontiguousarray(array, dtype)


def prepare_weights(sample_weight, class_weight, y, n):
    """float32 weights (n,) or (n, steps), from sample weights and the weights of the targets' classes; or None."""
    weights = None
    if sample_weight is not None:
        weights = np.ascontiguousarray(to_array("sample_weight", sample_weight), np.float32)
        if weights.ndim == 0 or len(weights) != n:
            raise ValueError(f"`sample_weight` must have one weight per sample, {n}. Received: shape {weights.shape}")
        if weights.ndim > 1 and weights.shape[-1] == 1:
            weights = weights.reshape(weights.shape[:-1])
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError("`class_weight` and `sample_weight` cannot be given together. Received: both")
        weights = class_weights(class_weight, y)
    return weights


def class_weights(class_weight, y):
    """The weight of each target's class; classes that the dict leaves out weigh 1."""
    y = np.asarray(y)
    labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y), -1)[:, 0]
    try:
        table = {int(label): float(weight) for label, weight in class_weight.items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            f"`class_weight` must be a dict from class number to weight. Received: {class_weight!r}"
        ) from None
    return np.array([table.get(int(label), 1.0) for label in labels], np.float32)


class Arrays:
    """Batches of arrays that are all in memory."""

    def __init__(self, model, x, y=None, sample_weight=None, class_weight=None, batch_size=32, shuffle=False):
        compiled = model.compiled
        self.xs = prepare_inputs(model, x)
        self.n = len(self.xs[0])
        if self.n == 0:
            raise ValueError(f"`x` has no samples. Received: shape {self.xs[0].shape}")
        for array in self.xs:
            if len(array) != self.n:
                raise ValueError(
                    f"All inputs must have the same number of samples. Received: {[len(a) for a in self.xs]}"
                )
            _refuse_nan("x", array)
        if y is None:
            raise ValueError("`y`, the targets, is missing. Received: y=None")
        y = to_array("y", y)
        _refuse_nan("y", y)
        if y.ndim == 0 or len(y) != self.n:
            raise ValueError(
                f"`x` and `y` must have equal numbers of samples. Received: x {self.n}, y {y.shape[0] if y.ndim else 1}"
            )
        if compiled.loss is None:
            raise ValueError("The model was compiled without a loss: model.compile(loss=...). Received: loss=None")
        output_shape = (self.n, *model.outputs[0].shape[1:])
        self.y = compiled.loss.prepare(y, output_shape)
        compiled.bind_metrics(y.shape, output_shape)
        self.weights = prepare_weights(sample_weight, class_weight, y, self.n)
        self.batch_size = self.n if batch_size is None else batch_size
        self.shuffle = shuffle

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __iter__(self):
        return self._shuffled() if self.shuffle else self._in_order()

    def _in_order(self):
        for start in range(0, self.n, self.batch_size):
            part = slice(start, start + self.batch_size)
            yield [x[part] for x in self.xs], self.y[part], None if self.weights is None else self.weights[part]

    def _shuffled(self):
        from fastkeras import random_state

        arrays = [*self.xs, self.y] if self.weights is None else [*self.xs, self.y, self.weights]
        order = random_state.permutation(self.n).astype(np.int32)
        size = min(self.batch_size, self.n)
        buffers = [np.empty((size, *a.shape[1:]), a.dtype) for a in arrays]
        for start in range(0, self.n, self.batch_size):
            index = order[start : start + self.batch_size]
            if len(index) < size:
                buffers = [b[: len(index)] for b in buffers]
            for buffer, array in zip(buffers, arrays, strict=True):
                rows_kernel.take(buffer, array, index)  # buffer_n = array[index_n]
            yield (
                buffers[: len(self.xs)],
                buffers[len(self.xs)],
                None if self.weights is None else buffers[-1],
            )
