"""Cells, each a layer for a single step of RNN: SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells, and your own.

To write one, subclass Layer and give it

    state_size                  the size of its state, or a list with that of each state
    output_size                 the size of its output, if it is not that of the first state
    build(input_shape)          makes the weights, for a step's input (batch, features)
    call(x, states)             takes the step in fastkeras.ops: returns (y, new_states)

x is (B, D), y (B, output_size), states and new_states are lists of tensors (B, size). Or, for the full speed of kernels
and numpy, in place of `call`

    forward(x, run)             x: the list [x, *states]; returns ([y, *new_states], backward)

where backward takes the list of the gradients of y and of new_states, all of them arrays, which it may overwrite, adds
to the weights' gradients and returns the list of the gradients of x and of the states. The buffers of `run` are this
step's own. For example

    class MinimalCell(Layer):                                # h_t = x_t W + h_{t-1} R, which is the output too
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = self.state_size = units

        def build(self, input_shape):
            self.W = self.add_weight("kernel", (input_shape[-1], self.units))
            self.R = self.add_weight("recurrent_kernel", (self.units, self.units))

        def forward(self, x, run):
            x, h = x
            new_h = x @ self.W.value + h @ self.R.value

            def backward(dy):
                d = dy[0] + dy[1]
                self.W.grad += x.T @ d
                self.R.grad += h.T @ d
                return [d @ self.W.value.T, d @ self.R.value.T]

            return [new_h, new_h], backward

        def get_config(self):
            return {**super().get_config(), "units": self.units}

A layer that a cell holds is among its sublayers() and is run with run.inside(layer, name).
"""

import copy

import numpy as np

from fastkeras.core import nest
from fastkeras.layers.arguments import Nth
from fastkeras.layers.attention import tensor_of
from fastkeras.layers.config import inner_layer_to_config, layer_from_config, reading
from fastkeras.layers.gru import GRU
from fastkeras.layers.layer import Layer
from fastkeras.layers.lstm import LSTM
from fastkeras.layers.simple_rnn import SimpleRNN
from fastkeras.layers.stepwise import Stepwise, rows_of
from fastkeras.utils import suggest
from fastkeras.utils.messages import message
from fastkeras.utils.naming import snake_case

# What a layer can be told that is not about a single step.
_OF_SEQUENCES = (Stepwise._arguments() - Layer._arguments()) | {"activity_regularizer", "use_cudnn"}


def output_size(cell):
    size = getattr(cell, "output_size", None)
    return nest.flat(cell.state_size)[0] if size is None else size


def initial_states(cell, batch_size):
    """What the cell starts from: its get_initial_state's states, or zeros, as a flat list of float32 arrays."""
    make = getattr(cell, "get_initial_state", None)
    if make is None:
        return [np.zeros((batch_size, size), np.float32) for size in nest.flat(cell.state_size)]
    return [np.ascontiguousarray(state, np.float32) for state in nest.flat(make(batch_size=batch_size))]


def checked_cell(owner, cell):
    if not isinstance(cell, Layer) or isinstance(cell, Stepwise) or not hasattr(cell, "state_size"):
        raise ValueError(
            f"{owner}: a cell must be a layer with `state_size`, and with `forward` or `call`. Received: {cell!r}"
        )
    return cell


def step(cell, x, run):
    """([y, *new_states], backward) of one step of any cell; x: [x, *states]."""
    if cell.call is not None:
        run.keywords = {"states": [Nth(i) for i in range(1, len(x))]}
        run.wants_dx = True  # for the gradients of the states
    return cell.forward(x, run)


class Cell(Layer):
    """A cell of the library: y, new_states = cell(x, states), on arrays, tensors and symbolic tensors.

    The new states have the form of those given: a list of them, grouped as state_size is or flat, or the only one.
    """

    takes_several = True
    call_keywords = ("states",)

    def __call__(self, x, states=None, training=None):
        if states is None and isinstance(x, (list, tuple)) and len(x) > 1:  # as files have it
            x, *states = x
        found = nest.flat(states)
        if len(found) != len(nest.flat(self.state_size)) or any(state is None for state in found):
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}): `states` must be those of the step before, of sizes "
                f"{self.state_size}. Received: states={states!r:.200}"
            )
        states = nest.mapped(lambda state: tensor_of(self, "states", state), states)
        states = list(states) if isinstance(states, tuple) else states
        y, *new = self.call_with([tensor_of(self, "inputs", x)], {"states": states}, training)
        return y, nest.packed(states, new)

    def compute_output_shape(self, input_shape):
        return [(input_shape[0], size) for size in (self.output_size, *nest.flat(self.state_size))]


# --- cells of the recurrent layers -----------------------------------------------------------------------------------


class _LayerCell(Cell):
    """A step of a recurrent layer: the layer itself, on sequences of one step.

    x (B, D) and the layer's states, (B, units) each; the output is the first state. Arguments: those of the layer that
    tell of a step. RNN draws the masks of dropout at the first step of a sequence, for all its steps; a cell called by
    itself draws them at each call.
    """

    layer_class = None

    def __init__(self, units, *arguments, name=None, trainable=True, dtype=None, **options):
        self._layer = None
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        for option in _OF_SEQUENCES.intersection(options):
            raise TypeError(suggest.unknown(f"argument of {type(self).__name__}", option, self._arguments()))
        self._takes_steps_of(self.layer_class(units, *arguments, name=self.name, trainable=trainable, **options))

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "layer_class" in vars(cls):
            cls.layer_class.cell_class = cls

    @classmethod
    def of(cls, layer):
        """The cell that a layer runs: one that shares its weights."""
        cell = cls(layer.units, name=snake_case(cls.__name__))
        cell._takes_steps_of(layer)
        cell.shares_weights_of = layer
        return cell

    def _takes_steps_of(self, layer):
        self._layer, self._one_step = layer, None
        for option in self._arguments() - Layer._arguments() - {"implementation"}:
            setattr(self, option, getattr(layer, option))
        self.output_size = layer.units
        self.state_size = layer.state_size[0] if len(layer.state_size) == 1 else layer.state_size

    @classmethod
    def _arguments(cls):
        return cls.layer_class._arguments() - _OF_SEQUENCES

    @property
    def _trainable(self):
        """The layer's: who freezes one of both freezes the weights that they share."""
        return self._layer is None or self._layer.trainable

    @_trainable.setter
    def _trainable(self, value):
        if self._layer is not None:
            self._layer.trainable = value

    def check_input_shape(self, input_shape):
        if len(input_shape) != 2:
            names = {"layer": self.name, "kind": type(self).__name__, "expected": "(batch, features)"}
            raise ValueError(message("shape_for_layer", **names, received=tuple(input_shape)))
        self._layer.check_input_shape((input_shape[0], None, *input_shape[1:]))

    def build(self, input_shape):
        layer = self._layer
        layer.ensure_built((input_shape[0], None, *input_shape[1:]))
        self._variables = layer._variables
        self.kernel, self.recurrent_kernel, self.bias = layer.kernel, layer.recurrent_kernel, layer.bias
        self._one_step = copy.copy(layer)
        self._one_step.return_state = True
        self._one_step.return_sequences = self._one_step.stateful = self._one_step.go_backwards = False

    def get_initial_state(self, batch_size=None, inputs=None, dtype=None):
        """Zeros: a list with an array (batch_size, units) for each state."""
        return self._layer.get_initial_state(batch_size, inputs)

    def reset_dropout_mask(self):
        """Nothing: no mask of dropout outlives a call."""

    reset_recurrent_dropout_mask = reset_dropout_mask

    def forward(self, x, run):
        ys, layer_back = self._one_step.forward([x[0][:, None], *x[1:]], run)

        def backward(dys):
            dx, *dold = layer_back(dys)
            return [None if dx is None else dx[:, 0], *dold]

        return ys, backward

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


# --- cells one on another --------------------------------------------------------------------------------------------


class StackedRNNCells(Cell):
    """Cells one on another, as one cell: the output of each is the input of the next.

    Its states are those of the first cell, then those of the second, and so on.
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        self.cells = [checked_cell("StackedRNNCells", cell) for cell in cells]
        if not self.cells:
            raise ValueError("StackedRNNCells: `cells` must have at least one. Received: cells=[]")

    def sublayers(self):
        return self.cells

    @property
    def state_size(self):
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        return output_size(self.cells[-1])

    def check_input_shape(self, input_shape):
        self.cells[0].check_input_shape(input_shape)

    def build(self, input_shape):
        shape = input_shape
        for cell in self.cells:
            self.build_inside(cell, shape)
            shape = (shape[0], output_size(cell))

    def get_initial_state(self, batch_size=None, inputs=None, dtype=None):
        """The initial states of each cell, as a list of lists."""
        rows = rows_of("StackedRNNCells", batch_size, inputs)
        return [initial_states(cell, rows) for cell in self.cells]

    def forward(self, x, run):
        y, *remaining = x
        new_states, backs = [], []
        for i, cell in enumerate(self.cells):
            count = len(nest.flat(cell.state_size))
            own, remaining = remaining[:count], remaining[count:]
            inner = run.inside(cell, i)
            inner.wants_dx = run.wants_dx or i > 0
            (y, *new), back = step(cell, [y, *own], inner)
            new_states += new
            backs.append((back, count))
        outputs = [y, *new_states]

        def backward(dys):
            dy, *dstates = (
                np.zeros(y.shape, np.float32) if d is None else d for d, y in zip(dys, outputs, strict=True)
            )
            dold = []
            for back, count in reversed(backs):
                dstates, own = dstates[:-count], dstates[-count:]
                dy, *down = back([dy, *own])
                dold = [*down, *dold]
            return [dy, *dold]

        return outputs, backward

    def get_config(self):
        return {**super().get_config(), "cells": [inner_layer_to_config(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config):
        with reading("The configuration"):
            cells = [layer_from_config(cell) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})
