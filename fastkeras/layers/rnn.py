"""RNN: one step of a cell (layers/cells.py) after another.

The steps run one by one, in Python, over all rows of the batch. SimpleRNN, LSTM and GRU give the same numbers as RNN of
their cells, but compute each distinct state once.
"""

import numpy as np

from fastkeras._kernels import rows as rows_kernel
from fastkeras.core import nest
from fastkeras.core.rows import Rows, dense
from fastkeras.layers import cells
from fastkeras.layers.config import inner_layer_to_config, layer_from_config, reading
from fastkeras.layers.stepwise import Stepwise, rows_of, shape_of_x


class RNN(Stepwise):
    """y_t, states_t = cell(x_t, states_{t-1}) for all steps t in turn

    x: (B, T, D), or Rows of that shape. What is returned, and the other arguments: see Stepwise; the states that
    return_state adds are grouped as the cell's state_size is.

    cell: one of layers/cells.py, or of your own as described there; a list of them becomes StackedRNNCells.
    """

    def __init__(self, cell, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cell = cells.StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cells.checked_cell("RNN", cell)

    def sublayers(self):
        return [self.cell]

    @property
    def state_sizes(self):
        return nest.flat(self.cell.state_size)

    @property
    def state_size(self):
        """The sizes of the states as the cell groups them: of cells one on another, a list with an item for each."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    @property
    def output_size(self):
        return cells.output_size(self.cell)

    # --- shapes and weights ----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape):
        super().check_input_shape(input_shape)
        shape = shape_of_x(input_shape)
        self.cell.check_input_shape((shape[0], *shape[2:]))

    def build(self, input_shape):
        shape = shape_of_x(input_shape)
        self.build_inside(self.cell, (shape[0], *shape[2:]))

    def get_initial_state(self, batch_size=None, inputs=None, dtype=None):
        """The states that a batch of this size, or one like `inputs`, starts from, if it is given none: a list, grouped
        as state_size is."""
        rows = rows_of(self._who(), batch_size, inputs)
        return nest.packed(self.state_size, cells.initial_states(self.cell, rows))

    # --- the pass --------------------------------------------------------------------------------------------------

    def __call__(self, x, initial_state=None, **options):
        """As every layer's; the states that return_state adds are grouped as the cell groups them, and so may the
        initial ones be."""
        found = super().__call__(x, None if initial_state is None else nest.flat(initial_state), **options)
        return [found[0], *nest.packed(self.state_size, found[1:])] if self.return_state else found

    def forward(self, x, run):
        x, *given = x if isinstance(x, list) else [x]
        B, T = x.shape[:2]
        given = [dense(state, run, f"initial_{i}") for i, state in enumerate(given)]
        undo_given = [undo for _, undo in given]
        states = [state for state, _ in given] or (self.states if self.stateful else None)
        states = states or cells.initial_states(self.cell, B)
        self.check_steps_and_states(x, states)
        xs, undo_xs = self._by_step(x, run)
        order = range(T)[::-1] if self.go_backwards else range(T)
        mask = run.mask[..., None] if run.mask is not None else None

        size = self.output_size
        y = np.zeros((B, size), np.float32)
        outputs = run.buffer("outputs", (B, T, size)) if self.return_sequences else None
        step_backs = []
        for k, t in enumerate(order):
            (new_y, *new_states), back = cells.step(self.cell, [xs[t], *states], run.inside(self.cell, "cell", step=k))
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
                    dx, *dstates = step_backs[k]([dout, *dstates])
                else:
                    steps, zero = mask[:, t], np.float32(0)
                    dx, *dold = step_backs[k]([np.where(steps, d, zero) for d in (dout, *dstates)])
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
