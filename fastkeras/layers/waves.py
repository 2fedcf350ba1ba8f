"""Waves: the time loop of a recurrent layer in ops, for activations that the kernels do not know.

Softmax over units, a function of the user's own, and the like: the states of one wave (src_c/prefix.h), which have
made the same number of steps, are computed together by the layer's `equations`, and a tape leads back. The numbers are
the kernels', some ten times as slowly (LSTM(64) over 40 steps of 64 texts: 9 to 18 times).
"""

from itertools import accumulate, pairwise

from fastkeras._kernels import rows as rows_kernel
from fastkeras.core.tape import recorded


def step(layer, cells, P, m, states, run):
    """As Recurrent.step: computes the states from P, the projected inputs; returns backward."""
    trained = layer.own_trainable_variables if run.trains else []
    keeps = layer.keeps_gates(run)
    waves = []  # (parents, input rows, place among all states, tensors, the way back) of each
    for start, end in pairwise(accumulate(map(int, states.waves.sum(axis=1)), initial=0)):
        if start == end:
            break
        parents, rows = states.parent[start:end], states.row[start:end]
        mask = None if m is None else m[states.owner[start:end]]

        def equations(p, h, *others, mask=mask):
            return layer.equations(p, h if mask is None else h * mask, h, *others)

        before = [cell[parents] for cell in cells]
        place = slice(states.first + start, states.first + end)
        try:
            found, back = recorded(equations, [P[rows], *before], trained, run.training, keeps)
            for cell, value in zip(cells, found, strict=True):
                cell[place] = value
        except ValueError as error:
            names = " and ".join(f"`{name}`" for name in layer.activation_names)
            raise ValueError(
                f"Layer '{layer.name}' ({type(layer).__name__}): {names} must give what has the shape of the input. "
                f"Received: {error}"
            ) from error
        waves.append((parents, rows, place, found, back))

    def backward(dcells, dP):
        for parents, rows, place, found, back in reversed(waves):
            dp, *others = back([(value, dcell[place]) for value, dcell in zip(found, dcells, strict=True)])
            _add(dP, dp, rows)
            for dcell, d in zip(dcells, others, strict=False):
                _add(dcell, d, parents)
            for variable, d in zip(trained, others[len(cells) :], strict=True):
                if d is not None:
                    variable.grad += d
        if run.trains and layer.use_bias:
            layer.add_bias_gradient(dP)

    return backward


def _add(total, d, index):
    if d is not None:
        rows_kernel.scatter_add(total, d, index)
