"""Recurrent: what SimpleRNN, LSTM and GRU share, over distinct input rows and distinct states.

A batch row's state depends only on its initial state and on the inputs it has read, so batch rows with an equal past
share one state. `States` (src_c/prefix.h) numbers the distinct ones; a layer computes each once, and the arrays
that it returns are Rows over them. Masked steps are not in the numbering at all: they cost nothing.
"""

from functools import partial

import numpy as np

from fastkeras import activations
from fastkeras._kernels import dense as dense_kernel
from fastkeras._kernels import recurrent as kernel
from fastkeras._kernels import rows as rows_kernel
from fastkeras._kernels.prefix import States
from fastkeras.core.rows import Rows, computed_once, dense, masked
from fastkeras.layers import waves
from fastkeras.layers.regularization import checked_rate, dropout_mask
from fastkeras.layers.stepwise import Stepwise, rows_of, shape_of_x
from fastkeras.random_state import SeedGenerator
from fastkeras.utils.arguments import positive_integer
from fastkeras.utils.messages import message

_LINEAR = activations.get("linear").kernel


class Recurrent(Stepwise):
    """A Stepwise layer whose states are rows of `units` numbers, the first of which, h, is the output too.

    x: (B, T, D) float32, or Rows of that shape. Returns h_T (B, units); with return_sequences all h_t (B, T, units) as
    Rows over the distinct states; with return_state also the last states, (B, units) each.

    In training, dropout multiplies x_t, and recurrent_dropout h_{t-1} where it meets the recurrent kernel, by one mask
    per batch row, the same at all steps and for all gates (Gal and Ghahramani 2016); each batch row then has states of
    its own. implementation is accepted, and use_cudnn; there is one. All that is not about weights and dropout is told
    in Stepwise.

    A subclass says how many `gates` it has and what its states are called, takes its arguments, and gives

        step(cells, P, m, states, run)    computes the states from P, the projected inputs; returns backward
        backward(dcells, dP)              adds to the gradients of recurrent weights and bias, and to dP what each
                                          state gives back to its row: add_gradients() does all three
        equations(p, hr, *states)         the new states (n, units) of some states before, in ops, p being rows of P and
                                          hr the h that meets the recurrent kernel: for activations without a kernel,
                                          which layers/waves.py runs
    """

    weights_place = "cell"
    gates = 1  # how many times `units` the kernels are wide
    state_names = ("h",)  # h, which is the output, comes first
    activation_names = ("activation",)
    cell_class = None  # layers/cells.py has it
    _cell = None

    def __init__(
        self,
        units,
        activation,
        use_bias,
        *,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        implementation=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        kind = type(self).__name__
        self.units = positive_integer(kind, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.dropout = checked_rate(kind, "dropout", dropout)
        self.recurrent_dropout = checked_rate(kind, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def asked_for_cudnn(self, use_cudnn):
        """Keras 3's argument of LSTM and GRU, which says nothing on a CPU; a ValueError if it is none of its values."""
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                f"{type(self).__name__}: `use_cudnn` must be 'auto', True or False. Received: use_cudnn={use_cudnn!r}"
            )
        return use_cudnn

    # --- shapes and weights ----------------------------------------------------------------------------------------

    @property
    def state_sizes(self):
        return [self.units for _ in self.state_names]

    state_size = state_sizes  # Keras's word

    def get_initial_state(self, batch_size=None, inputs=None, dtype=None):
        """What a batch of this size, or one like `inputs`, starts from, if it is given no states: a list of zeros
        (batch_size, units), float32."""
        rows = rows_of(self._who(), batch_size, inputs)
        return [np.zeros((rows, size), np.float32) for size in self.state_sizes]

    @property
    def output_size(self):
        return self.units

    def check_input_shape(self, input_shape):
        super().check_input_shape(input_shape)
        shape = shape_of_x(input_shape)
        if self.built and shape[2] != self.kernel.shape[0]:
            fields = {"layer": self.name, "kind": type(self).__name__, "count": self.kernel.shape[0]}
            raise ValueError(message("features_for_layer", **fields, received=tuple(shape)))

    def _takes(self, shape):
        return len(shape) == 3 and shape[2] is not None

    def build(self, input_shape):
        D, width = shape_of_x(input_shape)[-1], self.gates * self.units
        self.kernel = self.add_weight_as_told("kernel", (D, width))
        self.recurrent_kernel = self.add_weight_as_told("recurrent_kernel", (self.units, width), "recurrent")
        self.bias = self.add_weight_as_told("bias", self.bias_shape()) if self.use_bias else None

    def bias_shape(self):
        return (self.gates * self.units,)

    @property
    def cell(self):
        """The layer's step, y, states = cell(x, states): a cell that has the layer's weights."""
        if self._cell is None:
            self._cell = self.cell_class.of(self)
        if self.built:
            self._cell.ensure_built((None, self.kernel.shape[0]))
        return self._cell

    # --- the pass --------------------------------------------------------------------------------------------------

    def forward(self, x, run):
        x, given = (x[0], x[1:]) if isinstance(x, list) else (x, [])
        undo_given = [None] * len(given)
        for i, name in enumerate(self.state_names[: len(given)]):
            given[i], undo_given[i] = dense(given[i], run, f"initial_{name}")
        initial = given or (self.states if self.stateful else None)
        self.check_steps_and_states(x, initial)
        rows, undo_input = self._input_rows(x, run)
        # P = x W + b over distinct input rows
        P, index = computed_once(rows, run, self.gates * self.units, self._project)
        mask, m = run.mask, None
        if run.training and self.recurrent_dropout:
            shape = len(index), self.units
            m = dropout_mask(run, "recurrent_mask", shape, self.recurrent_dropout, self.seed_generator)
        if self.go_backwards:
            index = np.ascontiguousarray(index[:, ::-1])
            mask = None if mask is None else np.ascontiguousarray(mask[:, ::-1])
        states = States(index, mask, own_roots=initial is not None, share=type(x) is Rows and m is None)

        cells = [run.buffer(name, (states.first + states.count, self.units)) for name in self.state_names]
        for i, cell in enumerate(cells):
            cell[0] = 0.0
            if initial is not None:
                cell[1 : states.first] = initial[i]
        step = self.step if self.has_kernel() else partial(waves.step, self)
        step_backward = step(cells, P, m, states, run)

        last = [run.buffer(f"last_{name}", (len(index), self.units)) for name in self.state_names]
        for state, cell in zip(last, cells, strict=True):
            rows_kernel.gather(state, cell, states.last)
        if self.stateful:
            self.states = [state.copy() for state in last]
        steps = states.state
        if self.zero_output_for_mask and mask is not None:
            steps = np.where(mask, steps, np.int32(0))
        outputs = np.ascontiguousarray(steps[:, -1])

        def backward(dy):
            dy, dlast = (dy[0], dy[1:]) if self.return_state else (dy, [None] * len(cells))
            dcells = self._state_gradients(dy, dlast, outputs, states, cells, run)
            dP = P  # P is what nobody needs any more
            rows_kernel.clear(dP)
            step_backward(dcells, dP)
            dvalues = run.buffer("dvalues", rows.values.shape) if run.wants_dx else None
            dW = self.kernel.grad if run.trains else None
            dense_kernel.backward(dvalues, dW, None, None, dP, rows.values, self.kernel.value, P, None, _LINEAR)
            dx = undo_input(dvalues) if run.wants_dx else None
            dgiven = [undo(dcell[1 : states.first]) for undo, dcell in zip(undo_given, dcells, strict=False)]
            return [dx, *dgiven] if given else dx

        h = cells[0]
        y = Rows(h, steps) if self.return_sequences else self._last_output(h, outputs, last[0], initial, run)
        return ([y, *last] if self.return_state else y), backward

    def step(self, cells, P, m, states, run):
        raise NotImplementedError(f"{type(self).__name__} must define step(cells, P, m, states, run) -> backward")

    def has_kernel(self):
        """Whether all activations are functions of single numbers that the kernels know."""
        for name in self.activation_names:
            kernel = getattr(self, name).kernel
            if kernel is None or kernel.rowwise:
                return False
        return True

    def equations(self, p, hr, *states):
        raise NotImplementedError(f"{type(self).__name__} must define equations(p, hr, *states) -> new states")

    def keeps_gates(self, run):
        """Whether there may be a backward pass: a frozen layer has one too where a layer around it is trained."""
        return run.trains or run.wants_dx or bool(run.trained)

    def input_bias(self):
        """What is added to the projected inputs."""
        return self.bias.value if self.use_bias else None

    def add_gradients(self, dP, dz, h, m, states, run, **columns):
        """dR += hp^T dz    with hp_s = h[parent_s] (* m)        dP_r += sum of dz_s over row_s = r

        db += sum of dz_s, in the last row of the bias if there are two.
        """
        dR = self.recurrent_kernel.grad if run.trains else None
        db = np.atleast_2d(self.bias.grad)[-1] if run.trains and self.use_bias else None
        kernel.gradients(dR, db, dP, dz, h, m, states, **columns)

    def add_bias_gradient(self, dP):
        """db += sum of dP over rows, for the bias that `input_bias` adds."""
        dense_kernel.add_column_sums(self.bias.grad, dP)

    def _last_output(self, h, outputs, last, initial, run):
        """h at the last step: the last state, but zero for a row whose every step is masked (as in Keras)."""
        if initial is None and not self.zero_output_for_mask:
            return last
        y = run.buffer("y", last.shape)
        rows_kernel.gather(y, h, outputs)
        return y

    def _state_gradients(self, dy, dlast, outputs, states, cells, run):
        """dL/dh (and dL/dc) of every state as far as it comes from the layer's outputs."""
        dcells = []
        for i, (name, cell) in enumerate(zip(self.state_names, cells, strict=True)):
            if i == 0 and self.return_sequences and dy is not None:
                dcell = dy
            else:
                dcell = run.buffer(f"d{name}", cell.shape)
                rows_kernel.clear(dcell)
                if i == 0 and dy is not None:
                    rows_kernel.scatter_add(dcell, dy, outputs)
            if dlast[i] is not None:
                rows_kernel.scatter_add(dcell, dlast[i], states.last)
            dcells.append(dcell)
        return dcells

    def _project(self, P, values):
        dense_kernel.forward(P, None, values, self.kernel.value, self.input_bias(), _LINEAR)

    def _input_rows(self, x, run):
        """The input of each step as Rows, and the way back for gradients."""
        rows, back = (x, lambda dvalues: dvalues) if type(x) is Rows else self._every_row(x, run)
        if not run.training or not self.dropout:
            return rows, back
        m = dropout_mask(run, "mask", (x.shape[0], x.shape[2]), self.dropout, self.seed_generator)
        rows, back_to_rows = masked(rows, m, run)
        return rows, lambda dvalues: back(back_to_rows(dvalues))

    @staticmethod
    def _every_row(x, run):
        B, T, D = x.shape
        index = run.buffer("index", (B, T), np.int32)
        index[...] = np.arange(B * T, dtype=np.int32).reshape(B, T)
        return Rows(x.reshape(B * T, D), index), lambda dvalues: dvalues.reshape(x.shape)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.options_config("kernel", "recurrent", "bias"),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
