"""Choices and loops, as functions. Here they run as Python runs them: what they compute is recorded as it goes."""

import functools
import inspect
import itertools

import numpy as np

from fastkeras.core.tensor import made, value
from fastkeras.ops.shapes import concatenate, split, stack, unstack

__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop",
]  # fmt: skip


def cond(pred, true_fn, false_fn):
    """true_fn() if pred holds, else false_fn()."""
    return true_fn() if bool(value(pred)) else false_fn()


def switch(index, branches, *operands):
    """branches[index](*operands); an index outside counts as the nearest one."""
    return branches[int(np.clip(value(index), 0, len(branches) - 1))](*operands)


def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """loop_vars = body(*loop_vars) while cond(*loop_vars) holds, at most so many times."""
    several = isinstance(loop_vars, (list, tuple))
    state, count = tuple(loop_vars) if several else (loop_vars,), 0
    while bool(value(cond(*state))) and (maximum_iterations is None or count < maximum_iterations):
        state = body(*state)
        state, count = tuple(state) if isinstance(state, (list, tuple)) else (state,), count + 1
    return type(loop_vars)(state) if several else state[0]


def fori_loop(lower, upper, body_fun, init_val):
    """x = body_fun(i, x) for i from lower to upper - 1, from x = init_val."""
    x = init_val
    for i in range(int(lower), int(upper)):
        x = body_fun(i, x)
    return x


def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """(the last carry, the ys stacked) of carry, y = f(carry, x) over the first axis of xs, or `length` times.

    xs: a tensor, a list or tuple of them of one length, or None. reverse: from the last x on; ys stay in order.
    """
    items = [None] * int(length) if xs is None else _items(xs)
    carry, ys = init, []
    for x in reversed(items) if reverse else items:
        carry, y = f(carry, x)
        ys.append(y)
    return carry, _stacked(ys[::-1] if reverse else ys)


def associative_scan(f, elems, reverse=False, axis=0):
    """The running results of f over an axis: e_0, f(e_0, e_1), f(f(e_0, e_1), e_2), ..., one after the other.

    elems: a tensor, or a list or tuple of them of one length, which f then takes and gives; the axis stays, with extent
    1. reverse: from the last one on.
    """
    several = isinstance(elems, (list, tuple))
    parts = [split(x, np.shape(value(x))[axis], axis) for x in (elems if several else [elems])]
    items = list(zip(*parts, strict=True))[:: -1 if reverse else 1]
    items = [type(elems)(item) if several else item[0] for item in items]
    results = list(itertools.accumulate(items, f))[:: -1 if reverse else 1]
    if not several:
        return concatenate(results, axis)
    return type(elems)(concatenate(part, axis) for part in zip(*results, strict=True))


def map(f, xs):
    """f(x) for each x of the first axis of xs (a tensor, or a list or tuple of them of one length), stacked."""
    return _stacked([f(x) for x in _items(xs)])


vectorized_map = map


def custom_gradient(f):
    """A function with a gradient of its own: f(*xs) gives (y, gradient), and gradient(dy) the gradients of the xs.

    gradient may also be written gradient(*args, upstream), as Keras has it; None stands for no gradient. y: one tensor.
    Arrays come in and go out as copies: either function may change its own in place.
    """

    @functools.wraps(f)
    def call(*xs):
        y, gradient = f(*(_copied(value(x)) for x in xs))
        named = "upstream" in inspect.signature(gradient).parameters

        def found(d):
            ds = gradient(upstream=_copied(d)) if named else gradient(_copied(d))
            ds = ds if isinstance(ds, (list, tuple)) else [ds]
            if len(ds) != len(xs):
                raise ValueError(
                    f"ops.custom_gradient: expected a gradient for each of {len(xs)} arguments. Received: {len(ds)}"
                )
            return ds

        return made(value(y), *((x, lambda d, y, i=i: _copied(found(d)[i])) for i, x in enumerate(xs)))

    return call


def _copied(x):
    """A copy of a plain array; what else it is, as it is: no operation changes a tensor in place."""
    return x.copy() if type(x) is np.ndarray else x


def _items(xs):
    if isinstance(xs, (list, tuple)):
        return [type(xs)(parts) for parts in zip(*(unstack(x) for x in xs), strict=True)]
    return unstack(xs)


def _stacked(ys):
    if not ys or ys[0] is None:
        return None
    if isinstance(ys[0], (list, tuple)):
        return type(ys[0])(stack(parts) for parts in zip(*ys, strict=True))
    return stack(ys)
