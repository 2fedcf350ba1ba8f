"""Choices, loops, and parts of models as functions."""

import numpy as np

from fastkeras import models, ops
from fastkeras.core.tensor import SymbolicTensor, value


def switch(condition, then_expression, else_expression):
    """One of two, tensors or functions without arguments: for a single condition as a whole, for several element by
    element, a condition standing for all that follows its axes."""
    if ops.ndim(condition) == 0 and not isinstance(condition, SymbolicTensor):
        chosen = then_expression if bool(value(condition)) else else_expression
        return chosen() if callable(chosen) else chosen
    first, second = (part() if callable(part) else part for part in (then_expression, else_expression))
    missing = ops.ndim(first) - ops.ndim(condition)
    if missing < 0:
        raise ValueError(
            f"switch: the condition may not have more axes than what is chosen. Received: {ops.ndim(condition)} axes, "
            f"and {ops.ndim(first)}"
        )
    for _ in range(missing):
        condition = ops.expand_dims(condition, -1)
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
        mask = ops.cast(mask, "bool")
        kept = ops.unstack(ops.squeeze(mask, -1) if ops.ndim(mask) == 3 else mask, axis=time)
    order = reversed(range(len(steps))) if go_backwards else range(len(steps))
    states, outputs, constants = list(initial_states), [], list(constants or ())
    for t in order:
        output, new_states = step_function(steps[t], states + constants)
        if kept[t] is not None:
            before = ops.zeros_like(output) if not outputs or zero_output_for_mask else outputs[-1]
            output = switch(kept[t], output, before)
            new_states = [switch(kept[t], new, old) for new, old in zip(new_states, states, strict=True)]
        outputs.append(output)
        states = list(new_states)
    return outputs[-1], ops.stack(outputs if return_all_outputs else outputs[-1:], axis=time), states


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
