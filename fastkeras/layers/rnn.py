"""RNN, which takes one step of a cell after another, and the cells: SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells.

A cell is a layer for a single step. To write one, subclass Layer and give it

    state_size                  the size of its state, or a list with that of each state
    output_size                 the size of its output, if it is not that of the first state
    build(input_shape)          makes the weights, for a step's input (batch, features)
    forward(x, states, run)     takes the step: returns (y, new_states, backward)

x is (B, D), y (B, output_size), states and new_states are lists of arrays (B, size). backward(dy, dstates) takes the
gradients of y and of new_states, all of them arrays, which it may overwrite; it adds to the weights' gradients and
returns dx and the list of the gradients of `states`. The buffers of `run` are this step's own. For example

    class MinimalCell(Layer):                                # h_t = x_t W + h_{t-1} R, which is the output too
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = self.state_size = units

        def build(self, input_shape):
            self.W = self.add_weight("kernel", (input_shape[-1], self.units))
            self.R = self.add_weight("recurrent_kernel", (self.units, self.units))

        def forward(self, x, states, run):
            h = states[0]
            new_h = x @ self.W.value + h @ self.R.value

            def backward(dy, dstates):
                d = dy + dstates[0]
                self.W.grad += x.T @ d
                self.R.grad += h.T @ d
                return d @ self.W.value.T, [d @ self.R.value.T]

            return new_h, [new_h], backward

        def get_config(self):
            return {**super().get_config(), "units": self.units}

A layer that a cell holds is among its sublayers() and is run with run.inside(layer, name).

In place of `forward`, a cell may define call(x, states) with fastkeras.ops, which returns (y, new_states); its
gradients are then found by themselves, as in every layer with a `call`.

The steps run one by one, in Python, over all rows of the batch. SimpleRNN, LSTM and GRU give the same numbers as RNN of
their cells, but compute each distinct state once.
"""

import numpy as np

from fastkeras._kernels import rows as rows_kernel
from fastkeras.core.nest import flat, packed
from fastkeras.core.rows import Rows, dense
from fastkeras.core.run import Run
from fastkeras.core.tensor import as_tensor
from fastkeras.layers import calling
from fastkeras.layers.arguments import Nth
from fastkeras.layers.config import inner_layer_to_config, layer_from_config, reading
from fastkeras.layers.gru import GRU
from fastkeras.layers.layer import Layer
from fastkeras.layers.lstm import LSTM
from fastkeras.layers.simple_rnn import SimpleRNN
from fastkeras.layers.stepwise import Stepwise, shape_of_x
from fastkeras.utils import suggest


def _output_size(cell):
    size = getattr(cell, "output_size", None)
    return flat(cell.state_size)[0] if size is None else size


def _initial_states(cell, batch_size):
    """What the cell starts from: its get_initial_state's states, or zeros, as a flat list of float32 arrays."""
    make = getattr(cell, "get_initial_state", None)
    if make is None:
        return [np.zeros((batch_size, size), np.float32) for size in flat(cell.state_size)]
    return [np.ascontiguousarray(state, np.float32) for state in flat(make(batch_size=batch_size))]


def _checked_cell(owner, cell):
    if not isinstance(cell, Layer) or isinstance(cell, Stepwise) or not hasattr(cell, "state_size"):
        raise ValueError(
            f"{owner}: a cell must be a layer with `state_size`, and with `forward` or `call`. Received: {cell!r}"
        )
    return cell


def _step(cell, x, states, run):
    """(y, new states, backward) of one step of any cell."""
    if cell.call is None:
        return cell.forward(x, states, run)
    run.wants_dx = True  # for the gradients of the states
    run.keywords = {"states": [Nth(i) for i in range(1, 1 + len(states))]}
    (y, *new_states), back = calling.forward(cell, [x, *states], run)

    def backward(dy, dstates):
        dx, *dold = back([dy, *dstates])
        return dx, dold

    return y, new_states, backward


def _one_step(cell, x, states, training):
    """(y, new states) of a cell called on arrays."""
    x, states = np.ascontiguousarray(x, np.float32), [np.ascontiguousarray(s, np.float32) for s in flat(states)]
    cell.check_input_shape(x.shape)
    cell.ensure_built(x.shape)
    y, new_states, _ = cell.forward(x, states, Run(training=bool(training)))
    return as_tensor(y), [as_tensor(state) for state in new_states]


# --- RNN -------------------------------------------------------------------------------------------------------------


class RNN(Stepwise):
    """y_t, states_t = cell(x_t, states_{t-1}) for all steps t in turn

    x: (B, T, D), or Rows of that shape. What is returned, and the other arguments: see Stepwise; the states that
    return_state adds are grouped as the cell's state_size is.

    cell: one of this module's, or of your own as described there; a list of them becomes StackedRNNCells.
    """

    def __init__(self, cell, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else _checked_cell("RNN", cell)

    def sublayers(self):
        return [self.cell]

    @property
    def state_sizes(self):
        return flat(self.cell.state_size)

    @property
    def state_size(self):
        """The sizes of the states as the cell groups them: of cells one on another, a list with an item for each."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    @property
    def output_size(self):
        return _output_size(self.cell)

    # --- shapes and weights ----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape):
        super().check_input_shape(input_shape)
        shape = shape_of_x(input_shape)
        self.cell.check_input_shape((shape[0], *shape[2:]))

    def build(self, input_shape):
        shape = shape_of_x(input_shape)
        self.build_inside(self.cell, (shape[0], *shape[2:]))

    def get_initial_state(self, batch_size):
        """The states that a batch of this size starts from, if it is given none: a list, grouped as state_size is."""
        return packed(self.state_size, _initial_states(self.cell, batch_size))

    # --- the pass --------------------------------------------------------------------------------------------------

    def __call__(self, x, initial_state=None, **options):
        """As every layer's; the states that return_state adds are grouped as the cell groups them, and so may the
        initial ones be."""
        found = super().__call__(x, None if initial_state is None else flat(initial_state), **options)
        return [found[0], *packed(self.state_size, found[1:])] if self.return_state else found

    def forward(self, x, run):
        x, *given = x if isinstance(x, list) else [x]
        B, T = x.shape[:2]
        given = [dense(state, run, f"initial_{i}") for i, state in enumerate(given)]
        undo_given = [undo for _, undo in given]
        states = [state for state, _ in given] or (self.states if self.stateful else None)
        states = states or _initial_states(self.cell, B)
        self.check_steps_and_states(x, states)
        xs, undo_xs = self._by_step(x, run)
        order = range(T)[::-1] if self.go_backwards else range(T)
        mask = run.mask[..., None] if run.mask is not None else None

        size = self.output_size
        y = np.zeros((B, size), np.float32)
        outputs = run.buffer("outputs", (B, T, size)) if self.return_sequences else None
        step_backs = []
        for k, t in enumerate(order):
            new_y, new_states, back = _step(self.cell, xs[t], states, run.inside(self.cell, "cell", step=k))
            if mask is None:
                y, states = new_y, new_states
            else:
                y = np.where(mask[:, t], new_y, np.float32(0) if self.zero_output_for_mask else y)
                states = [np.where(mask[:, t], new, old) for new, old in zip(new_states, states, strict=True)]
            if self.return_sequences:
                outputs[:, k] = y
            step_backs.append(back)
        if self.stateful:
            self.states = [np.array(state, np.float32) for state in states]

        def backward(dy):
            dy, *dstates = dy if self.return_state else [dy, *(None for _ in states)]
            dstates = [np.zeros(s.shape, np.float32) if d is None else d for s, d in zip(states, dstates, strict=True)]
            dout = np.zeros((B, size), np.float32)  # of the output so far, which masked steps repeat
            if dy is not None and not self.return_sequences:
                dout = dy
            dxs = run.buffer("dxs", xs.shape) if run.wants_dx else None
            for k, t in reversed(list(enumerate(order))):
                if dy is not None and self.return_sequences:
                    dout = dout + dy[:, k]
                if mask is None:
                    dx, dstates = step_backs[k](dout, dstates)
                else:
                    steps, zero = mask[:, t], np.float32(0)
                    dx, dold = step_backs[k](np.where(steps, dout, zero), [np.where(steps, d, zero) for d in dstates])
                    dstates = [np.where(steps, old, d) for old, d in zip(dold, dstates, strict=True)]
                    dout = np.where(steps, zero, dout)
                if mask is None or self.zero_output_for_mask:  # no later step repeats the output
                    dout = np.zeros((B, size), np.float32)
                if run.wants_dx:
                    dxs[t] = dx
            dx = undo_xs(dxs) if run.wants_dx else None
            return [dx, *(undo(d) for undo, d in zip(undo_given, dstates, strict=True))] if undo_given else dx

        y = outputs if self.return_sequences else np.ascontiguousarray(y, np.float32)
        return ([y, *states] if self.return_state else y), backward

    def _by_step(self, x, run):
        """x with the steps first (T, B, ...), and the way back for gradients."""
        if type(x) is not Rows:
            return np.ascontiguousarray(np.moveaxis(x, 1, 0)), lambda dxs: np.ascontiguousarray(np.moveaxis(dxs, 0, 1))
        index = np.ascontiguousarray(x.index.T)
        xs = run.buffer("xs", (*index.shape, x.shape[-1]))
        rows_kernel.gather(xs.reshape(index.size, -1), x.values, index)

        def back(dxs):
            dvalues = np.zeros_like(x.values)
            rows_kernel.scatter_add(dvalues, dxs.reshape(index.size, -1), index)
            return dvalues

        return xs, back

    # --- configuration ---------------------------------------------------------------------------------------------

    def get_config(self):
        return {**super().get_config(), "cell": inner_layer_to_config(self.cell)}

    @classmethod
    def from_config(cls, config):
        with reading("The configuration"):
            cell = layer_from_config(config["cell"])
        return cls(**{**config, "cell": cell})


# --- cells -----------------------------------------------------------------------------------------------------------

# What a layer can be told that is not about a single step.
_OF_SEQUENCES = (Stepwise._arguments() - Layer._arguments()) | {"activity_regularizer", "use_cudnn"}


class _LayerCell(Layer):
    """A step of a recurrent layer: the layer itself, on sequences of one step.

    x (B, D) and the layer's states, (B, units) each; the output is the first state. Arguments: those of the layer that
    tell of a step. Dropout draws its masks at the first step of a sequence, for all its steps.
    """

    layer_class = None

    def __init__(self, units, *arguments, name=None, trainable=True, dtype=None, **options):
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        for option in _OF_SEQUENCES.intersection(options):
            raise TypeError(suggest.unknown(f"argument of {type(self).__name__}", option, self._arguments()))
        self._layer = self.layer_class(units, *arguments, return_state=True, name=self.name, **options)
        self.units = self.output_size = self._layer.units
        names = self._layer.state_names
        self.state_size = self.units if len(names) == 1 else [self.units for _ in names]

    @classmethod
    def _arguments(cls):
        return cls.layer_class._arguments() - _OF_SEQUENCES

    def check_input_shape(self, input_shape):
        self._layer.check_input_shape((input_shape[0], None, *input_shape[1:]))

    def build(self, input_shape):
        self._layer.ensure_built((input_shape[0], None, *input_shape[1:]))
        self._variables = self._layer._variables
        self.kernel, self.recurrent_kernel = self._layer.kernel, self._layer.recurrent_kernel
        self.bias = self._layer.bias

    def get_initial_state(self, batch_size):
        """Zeros: a list with an array (batch_size, units) for each state."""
        return [np.zeros((batch_size, self.units), np.float32) for _ in self._layer.state_names]

    def __call__(self, x, states, training=False):
        """(y, new states) of one step, on arrays."""
        return _one_step(self, x, states, training)

    def forward(self, x, states, run):
        (y, *new_states), layer_back = self._layer.forward([x[:, None], *states], run)

        def backward(dy, dstates):
            dx, *dold = layer_back([dy, *dstates])
            return None if dx is None else dx[:, 0], dold

        return y, new_states, backward

    def get_config(self):
        config = {key: value for key, value in self._layer.get_config().items() if key not in _OF_SEQUENCES}
        return {**config, **super().get_config()}


class SimpleRNNCell(_LayerCell):
    """A step of SimpleRNN, where its equation and its arguments are."""

    layer_class = SimpleRNN


class LSTMCell(_LayerCell):
    """A step of LSTM, where its equations and its arguments are. The states are h and c."""

    layer_class = LSTM


class GRUCell(_LayerCell):
    """A step of GRU, where its equations and its arguments are."""

    layer_class = GRU


class StackedRNNCells(Layer):
    """Cells one on another, as one cell: the output of each is the input of the next.

    Its states are those of the first cell, then those of the second, and so on.
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        self.cells = [_checked_cell("StackedRNNCells", cell) for cell in cells]
        if not self.cells:
            raise ValueError("StackedRNNCells: `cells` must have at least one. Received: cells=[]")

    def sublayers(self):
        return self.cells

    @property
    def state_size(self):
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        return _output_size(self.cells[-1])

    def check_input_shape(self, input_shape):
        self.cells[0].check_input_shape(input_shape)

    def build(self, input_shape):
        shape = input_shape
        for cell in self.cells:
            self.build_inside(cell, shape)
            shape = (shape[0], _output_size(cell))

    def get_initial_state(self, batch_size):
        """The initial states of each cell, as a list of lists."""
        return [_initial_states(cell, batch_size) for cell in self.cells]

    def __call__(self, x, states, training=False):
        """(y, new states) of one step, on arrays."""
        return _one_step(self, x, states, training)

    def forward(self, x, states, run):
        remaining, new_states, backs = list(states), [], []
        for i, cell in enumerate(self.cells):
            count = len(flat(cell.state_size))
            own, remaining = remaining[:count], remaining[count:]
            inner = run.inside(cell, i)
            inner.wants_dx = run.wants_dx or i > 0
            x, new, back = _step(cell, x, own, inner)
            new_states += new
            backs.append((back, count))

        def backward(dy, dstates):
            dold = []
            for back, count in reversed(backs):
                dstates, own = dstates[:-count], dstates[-count:]
                dy, down = back(dy, own)
                dold = [*down, *dold]
            return dy, dold

        return x, new_states, backward

    def get_config(self):
        return {**super().get_config(), "cells": [inner_layer_to_config(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config):
        with reading("The configuration"):
            cells = [layer_from_config(cell) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})
