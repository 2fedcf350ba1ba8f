"""Keras 2's backend, as scripts import it: from keras import backend as K.

Each function is one of fastkeras.ops under its old name and with its old arguments, gradients included; new scripts
use fastkeras.ops. Tensors are computed at once: there is no graph of symbols to feed and run, only `function`, which
runs part of a model.
"""

# ruff: noqa: F401 (many of its names are those of other modules)

import contextlib

import numpy as np

from fastkeras import layers, models, ops, random
from fastkeras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from fastkeras.core.tensor import Operators, SymbolicTensor, tapes, value
from fastkeras.core.variable import Variable
from fastkeras.ops import (
    abs,
    all,
    any,
    cast,
    cos,
    elu,
    equal,
    exp,
    eye,
    greater,
    greater_equal,
    is_tensor,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    not_equal,
    one_hot,
    ones_like,
    prod,
    reshape,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    stop_gradient,
    sum,
    tanh,
    tile,
    transpose,
    var,
    zeros_like,
)
from fastkeras.ops import map as map_fn
from fastkeras.ops import power as pow
from fastkeras.ops.windows import conv_transpose_to
from fastkeras.random import normal as random_normal
from fastkeras.random import truncated_normal
from fastkeras.random import uniform as random_uniform
from fastkeras.utils import suggest
from fastkeras.utils.naming import reset_names, unique_name

# --- settings --------------------------------------------------------------------------------------------------------


def backend():
    """ "tensorflow": whose conventions hold here, which is what scripts ask for."""
    return "tensorflow"


def image_dim_ordering():
    """Keras 1's word for `image_data_format`: "tf" (channels last) or "th"."""
    return {"channels_last": "tf", "channels_first": "th"}[image_data_format()]


def set_image_dim_ordering(dim_ordering):
    """Keras 1's word for `set_image_data_format`, with "tf" or "th"."""
    if dim_ordering not in ("tf", "th"):
        raise ValueError(f"set_image_dim_ordering: expected 'tf' (channels last) or 'th'. Received: {dim_ordering!r}")
    set_image_data_format("channels_last" if dim_ordering == "tf" else "channels_first")


def clear_session():
    """Counts the names of layers from the beginning again. There is nothing else to clear: a model that no variable
    names any more is gone."""
    reset_names()


reset_uids = clear_session


def get_uid(prefix=""):
    """How often a name with this prefix was asked for, this time included."""
    number = unique_name(prefix).removeprefix(prefix).removeprefix("_")
    return int(number or 0) + 1


@contextlib.contextmanager
def name_scope(name):
    """Names nothing here: it is for TensorFlow's graphs."""
    yield name


def learning_phase():
    """1 while a layer is called in training, else 0."""
    return int(tapes.training)


def set_learning_phase(value):
    """Whether layers that are called from now on are in training (1) or not (0), unless their calls say so."""
    if value not in (0, 1):
        raise ValueError(f"set_learning_phase: expected 0 or 1. Received: {value!r}")
    tapes.training = bool(value)


def in_train_phase(x, alt, training=None):
    """x in training, else alt; either may be a function without arguments."""
    chosen = x if (tapes.training if training is None else training) else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x, alt, training=None):
    """alt in training, else x."""
    return in_train_phase(alt, x, training)


# --- variables and new tensors ---------------------------------------------------------------------------------------


def variable(value, dtype=None, name=None, constraint=None):
    """A Variable with this value."""
    return Variable(value, name or unique_name("variable"), dtype=dtype or floatx(), constraint=constraint)


def zeros(shape, dtype=None, name=None):
    """A Variable of zeros."""
    return variable(np.zeros(shape), dtype, name)


def ones(shape, dtype=None, name=None):
    """A Variable of ones."""
    return variable(np.ones(shape), dtype, name)


def random_uniform_variable(shape, low, high, dtype=None, name=None, seed=None):
    """A Variable that starts uniform in [low, high)."""
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal_variable(shape, mean, scale, dtype=None, name=None, seed=None):  # noqa: F811 (Keras's word)
    """A Variable that starts normal."""
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)


def constant(value, dtype=None, shape=None, name=None):
    """A tensor with this value, repeated to the shape if one is given."""
    tensor = ops.convert_to_tensor(value, dtype or floatx())
    return tensor if shape is None else ops.full(shape, 0, tensor.dtype) + tensor


def arange(start, stop=None, step=1, dtype="int32"):
    """start, start + step, ... below stop; 0, 1, ... below start if it stands alone."""
    return ops.arange(*((0, start) if stop is None else (start, stop)), step, dtype)


def placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None, ragged=False):
    """An input of a model, or of `function`: of this shape, with the batch axis, or with so many axes."""
    if sparse or ragged:
        raise ValueError(f"placeholder: tensors are dense here. Received: sparse={sparse}, ragged={ragged}")
    if shape is None and ndim is None:
        raise ValueError("placeholder: expected `shape`, or `ndim`. Received: neither")
    return layers.Input(batch_shape=shape or (None,) * ndim, dtype=dtype, name=name)


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with probability p, else 0."""
    return random.binomial(shape, 1, p, dtype, seed)


random_binomial = random_bernoulli


def identity(x, name=None):
    """x"""
    return ops.convert_to_tensor(x)


def get_value(x):
    """The values as a numpy array; a single number as numpy's number."""
    return np.array(value(x))[()]


def eval(x):
    """The values as a numpy array."""
    return get_value(x)


def set_value(x, value):
    """Sets a variable's value."""
    x.assign(value)


def batch_get_value(tensors):
    """The values of several, as numpy arrays."""
    return [get_value(x) for x in tensors]


def batch_set_value(tuples):
    """Sets variables from pairs (variable, value)."""
    for x, new in tuples:
        x.assign(new)


def update(x, new_x):
    """Sets a variable's value; returns it."""
    return x.assign(new_x)


def update_add(x, increment):
    """Adds to a variable; returns it."""
    return x.assign_add(increment)


def update_sub(x, decrement):
    """Subtracts from a variable; returns it."""
    return x.assign_sub(decrement)


def moving_average_update(x, value, momentum):
    """x = momentum x + (1 - momentum) value, for a variable; returns it."""
    return x.assign(x * momentum + value * (1 - momentum))


# --- what is known of a tensor ---------------------------------------------------------------------------------------


def int_shape(x):
    """The extents, a tuple; None is one that a model does not know yet."""
    return shape(x)


def dtype(x):
    """The name of the type."""
    return np.dtype(x.dtype).name


def count_params(x):
    """How many elements there are."""
    return int(np.prod(shape(x)))


def is_keras_tensor(x):
    """Whether x stands for an output of a layer in a model, before there is data."""
    if not isinstance(x, (Operators, np.ndarray)):
        raise ValueError(f"is_keras_tensor: expected a tensor or a variable. Received: {type(x).__name__}")
    return isinstance(x, SymbolicTensor)


def is_sparse(tensor):
    """Always False: tensors are dense here."""
    return False


def to_dense(tensor):
    """The tensor, which is dense."""
    return tensor


def cast_to_floatx(x):
    """x as float32: a numpy array stays one."""
    return np.asarray(x, floatx()) if not isinstance(x, Operators) else cast(x, floatx())


def print_tensor(x, message="", summarize=3):
    """Prints the message and the values; returns x. summarize: so many at each end of an axis, -1 for all."""
    edge = x.size if summarize == -1 else summarize
    print(message, np.array2string(np.asarray(value(x)), edgeitems=edge, threshold=2 * edge), sep="")
    return x


# --- arranging -------------------------------------------------------------------------------------------------------


def concatenate(tensors, axis=-1):
    """Tensors one behind the other along an axis, by default the last."""
    return ops.concatenate(tensors, axis)


def expand_dims(x, axis=-1):
    """A new axis of extent 1, by default the last."""
    return ops.expand_dims(x, axis)


def permute_dimensions(x, pattern):
    """The axes in this order."""
    return transpose(x, pattern)


def flatten(x):
    """All elements in one row."""
    return reshape(x, (-1,))


def batch_flatten(x):
    """Each sample's elements in one row: (batch, ...) gives (batch, n)."""
    return reshape(x, (-1, int(np.prod(shape(x)[1:]))))


def repeat(x, n):
    """(batch, features) n times, as steps: (batch, n, features)."""
    return ops.repeat(expand_dims(x, 1), n, axis=1)


def repeat_elements(x, rep, axis):
    """Each element so many times in a row along an axis."""
    return ops.repeat(x, rep, axis=axis)


def reverse(x, axes):
    """The elements in reverse order along these axes."""
    return ops.flip(x, axes)


def gather(reference, indices):
    """The rows with these indices."""
    return ops.take(reference, indices, axis=0)


def temporal_padding(x, padding=(1, 1)):
    """Zeros before and after the steps of (batch, steps, features)."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def spatial_2d_padding(x, padding=((1, 1), (1, 1)), data_format=None):
    """Zeros around the rows and the columns of images."""
    around = [tuple(pair) for pair in padding]
    last = (data_format or image_data_format()) == "channels_last"
    return ops.pad(x, ((0, 0), *around, (0, 0)) if last else ((0, 0), (0, 0), *around))


# --- arithmetic ------------------------------------------------------------------------------------------------------


def clip(x, min_value, max_value):
    """min(max(x, min_value), max_value)"""
    return ops.clip(x, min_value, max_value)


def cumsum(x, axis=0):
    """Running sums along an axis."""
    return ops.cumsum(x, axis)


def cumprod(x, axis=0):
    """Running products along an axis."""
    return ops.cumprod(x, axis)


def argmax(x, axis=-1):
    """The index of the largest element along an axis."""
    return ops.argmax(x, axis)


def argmin(x, axis=-1):
    """The index of the smallest element along an axis."""
    return ops.argmin(x, axis)


def dot(x, y):
    """The sum over the last axis of x and the last but one of y."""
    return ops.dot(x, y)


def batch_dot(x, y, axes=None):
    """For each sample, the sum over one axis of x and one of y: by default the last, and the last but one.

    axes: one number for both, or a pair; axis 0 is the batch. Where no axis but the batch is left, one of extent 1 is
    put behind it.
    """
    n, m = ndim(x), ndim(y)
    if n < 2 or m < 2:
        raise ValueError(f"batch_dot: expected a batch axis and one more. Received: shapes {shape(x)}, {shape(y)}")
    if axes is None:
        axes = n - 1, m - 1 if m == 2 else m - 2
    a, b = (axes, axes) if isinstance(axes, int) else axes
    a, b = a % n, b % m
    if shape(x)[a] != shape(y)[b] and None not in (shape(x)[a], shape(y)[b]):
        raise ValueError(
            f"batch_dot: axis {a} of x and axis {b} of y must have one extent. Received: shapes {shape(x)}, {shape(y)}"
        )
    if n <= 3 and m <= 3:
        first = expand_dims(x, 1) if n == 2 else ops.moveaxis(x, a, 2)
        second = expand_dims(y, 2) if m == 2 else ops.moveaxis(y, b, 1)
        product = ops.matmul(first, second)  # (batch, what is left of x, of y); of 2 axes, 1 is left
        gone = [axis for axis, axes_of_it in ((1, n), (2, m)) if axes_of_it == 2]
        return squeeze(product, gone[:1]) if gone else product
    letters = "abcdefghijklmnopqrstuvwxyz"
    of_x, of_y = letters[:n], letters[0] + letters[n : n + m - 1]
    of_y = of_y[:b] + of_x[a] + of_y[b + 1 :]
    left = of_x[:a] + of_x[a + 1 :] + of_y[1:b] + of_y[b + 1 :]
    return ops.einsum(f"{of_x},{of_y}->{left}", x, y)


def bias_add(x, bias, data_format=None):
    """x + bias. bias: one number for each channel, or with all of x's axes but the batch's, channels last."""
    order = data_format or image_data_format()
    if order not in ("channels_last", "channels_first"):
        raise ValueError(f"bias_add: expected channels_last or channels_first. Received: data_format={order!r}")
    n = ndim(bias)
    if n not in (1, ndim(x) - 1):
        raise ValueError(f"bias_add: `bias` must have 1 or {ndim(x) - 1} axes. Received: shape {shape(bias)}")
    if order == "channels_first" and ndim(x) > 2:
        bias = reshape(bias, (-1,) + (1,) * (ndim(x) - 2)) if n == 1 else ops.moveaxis(bias, -1, 0)
    return x + bias


def l2_normalize(x, axis=None):
    """x / its length along the axis, by default that of all elements."""
    return ops.normalize(x, axis, epsilon=1e-6)


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """x where x >= threshold, alpha (x - threshold) below, and at most max_value."""
    simple = not alpha and not threshold
    y = ops.relu(x) if simple else ops.where(x >= threshold, x, alpha * (x - threshold))
    return y if max_value is None else minimum(y, float(max_value))


def hard_sigmoid(x):
    """min(max(0.2 x + 0.5, 0), 1), as Keras 2 has it; that of Keras 3, fastkeras.ops.hard_sigmoid, is another."""
    return clip(0.2 * x + 0.5, 0.0, 1.0)


def dropout(x, level, noise_shape=None, seed=None):
    """0 with probability `level`, x / (1 - level) else."""
    return random.dropout(x, level, noise_shape, seed)


def binary_crossentropy(target, output, from_logits=False):
    """-t log(p) - (1 - t) log(1 - p), for each element."""
    return ops.binary_crossentropy(target, output, from_logits)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(t log(p)) along the axis."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def conv1d(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """The convolution of sequences. padding: "valid", "same", or "causal": a step sees none that come after it."""
    order = data_format or image_data_format()
    if padding == "causal":
        before, padding = (dilation_rate * (shape(kernel)[0] - 1), 0), "valid"
        x = ops.pad(x, ((0, 0), (0, 0), before) if order == "channels_first" else ((0, 0), before, (0, 0)))
    return ops.conv(x, kernel, strides, padding, order, dilation_rate)


def conv2d(x, kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """The convolution of images, as ops.conv has it."""
    return ops.conv(x, kernel, strides, padding, data_format or image_data_format(), dilation_rate)


def conv2d_transpose(x, kernel, output_shape, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """What conv2d with this kernel (rows, columns, channels of the output, of x) takes to give x. output_shape: of the
    result, the samples included."""
    order, who = data_format or image_data_format(), "backend.conv2d_transpose"
    return conv_transpose_to(who, x, kernel, output_shape, strides, padding, order, dilation_rate)


def depthwise_conv2d(x, depthwise_kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """The convolution of images with each channel by itself, as ops.depthwise_conv has it."""
    order = data_format or image_data_format()
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, order, dilation_rate)


def pool2d(x, pool_size, strides=(1, 1), padding="valid", data_format=None, pool_mode="max"):
    """The largest element of each window of images, or with pool_mode "avg" the mean."""
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"pool2d: `pool_mode` must be 'max' or 'avg'. Received: pool_mode={pool_mode!r}")
    pool = ops.max_pool if pool_mode == "max" else ops.average_pool
    return pool(x, pool_size, strides, padding, data_format or image_data_format())


def ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """-log p(labels | y_pred), (n, 1), as ops.ctc_loss has it, for probabilities y_pred (n, T, C), the last class being
    the blank. y_true (n, L); how many steps of y_pred and labels of y_true count: both (n, 1)."""
    steps, labels = (np.asarray(value(count)).reshape(-1) for count in (input_length, label_length))
    return expand_dims(ops.ctc_loss(y_true, log(y_pred + epsilon()), labels, steps, shape(y_pred)[-1] - 1), 1)


def ctc_decode(y_pred, input_length, greedy=True, beam_width=100, top_paths=1):
    """([labels (n, T), -1 behind those of each sample], scores (n, 1)), as ops.ctc_decode has them: by the most
    probable class of each step, the last one being the blank. y_pred (n, T, C): probabilities; greedy must be True."""
    strategy = "greedy" if greedy else "beam_search"
    labels, scores = ops.ctc_decode(log(y_pred + epsilon()), input_length, strategy, mask_index=-1)
    return [labels[0]], scores


def in_top_k(predictions, targets, k):
    """Whether the target is among the k largest predictions of its row."""
    return ops.in_top_k(targets, predictions, k)


# --- choices and loops -----------------------------------------------------------------------------------------------


def switch(condition, then_expression, else_expression):
    """One of two, tensors or functions without arguments: for a single condition as a whole, for several element by
    element, a condition standing for all that follows its axes."""
    if ndim(condition) == 0 and not isinstance(condition, SymbolicTensor):
        chosen = then_expression if bool(value(condition)) else else_expression
        return chosen() if callable(chosen) else chosen
    first, second = (part() if callable(part) else part for part in (then_expression, else_expression))
    missing = ndim(first) - ndim(condition)
    if missing < 0:
        raise ValueError(
            f"switch: the condition may not have more axes than what is chosen. Received: {ndim(condition)} axes, "
            f"and {ndim(first)}"
        )
    for _ in range(missing):
        condition = expand_dims(condition, -1)
    return ops.where(condition, first, second)


def foldl(fn, elems, initializer=None, name=None):
    """acc = fn(acc, x) for each x of the first axis, from `initializer`, or from the first of them."""
    items = ops.unstack(elems)
    acc, rest = (items[0], items[1:]) if initializer is None else (initializer, items)
    for x in rest:
        acc = fn(acc, x)
    return acc


def foldr(fn, elems, initializer=None, name=None):
    """`foldl` from the last one on."""
    return foldl(fn, ops.flip(elems, 0), initializer)


def rnn(
    step_function,
    inputs,
    initial_states,
    go_backwards=False,
    mask=None,
    constants=None,
    unroll=False,
    input_length=None,
    time_major=False,
    zero_output_for_mask=False,
    return_all_outputs=True,
):
    """(the last output, the outputs, the last states) of output, states = step_function(input, states), step by step.

    inputs: (batch, steps, ...), with time_major (steps, batch, ...). constants are put behind the states that the
    function is given. mask: (batch, steps), False at steps that are left out: they keep the states and repeat the
    output before (zeros with zero_output_for_mask, and at the beginning). go_backwards: the outputs are then in the
    order in which they were computed. outputs without return_all_outputs: the last one, as the only step.
    """
    time = 0 if time_major else 1
    steps = ops.unstack(inputs, axis=time)
    kept = [None] * len(steps)
    if mask is not None:
        mask = cast(mask, "bool")
        kept = ops.unstack(squeeze(mask, -1) if ndim(mask) == 3 else mask, axis=time)
    order = reversed(range(len(steps))) if go_backwards else range(len(steps))
    states, outputs, constants = list(initial_states), [], list(constants or ())
    for t in order:
        output, new_states = step_function(steps[t], states + constants)
        if kept[t] is not None:
            before = zeros_like(output) if not outputs or zero_output_for_mask else outputs[-1]
            output = switch(kept[t], output, before)
            new_states = [switch(kept[t], new, old) for new, old in zip(new_states, states, strict=True)]
        outputs.append(output)
        states = list(new_states)
    return outputs[-1], stack(outputs if return_all_outputs else outputs[-1:], axis=time), states


# --- graphs ----------------------------------------------------------------------------------------------------------


def function(inputs, outputs, updates=None, name=None, **kwargs):
    """A function from a list of arrays to the list of outputs, numpy arrays: the part of a model between them.

    inputs: tensors of a model, and learning_phase(), for which the function is given 1 (training) or 0. A single output
    gives an array alone.
    """
    if updates:
        raise ValueError("backend.function: `updates` must be empty; assign to variables instead. Received: some")
    one = isinstance(outputs, SymbolicTensor)
    symbols = [x for x in inputs if isinstance(x, SymbolicTensor)]
    model = models.Model(symbols, [outputs] if one else list(outputs))

    def run(arrays):
        pairs = list(zip(inputs, arrays, strict=True))
        phases = [bool(phase) for x, phase in pairs if not isinstance(x, SymbolicTensor)]
        found = model([np.asarray(a) for x, a in pairs if isinstance(x, SymbolicTensor)], training=True in phases)
        found = [np.asarray(y) for y in (found if isinstance(found, list) else [found])]
        return found[0] if one else found

    return run


def gradients(loss, variables):
    """Only a tape knows how a value was computed, so this raises: see the message."""
    raise NotImplementedError(
        "backend.gradients: there is no graph to differentiate after the fact. Compute within a tape: "
        "with fastkeras.GradientTape() as tape: loss = ...; then tape.gradient(loss, variables)"
    )


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.backend", name, globals()))
