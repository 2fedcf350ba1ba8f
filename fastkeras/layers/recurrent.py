"""SimpleRNN: the recurrent layer, over distinct input rows and distinct states.

A batch row's state depends only on its initial state and on the inputs it has read, so batch rows with an equal past
share one state. `States` (src_c/prefix.h) numbers the distinct ones; a layer computes each once, and the arrays
that it returns are Rows over them. Masked steps are not in the numbering at all: they cost nothing.
"""

import numpy as np

from fastkeras import activations
from fastkeras._kernels import dense as dense_kernel
from fastkeras._kernels import gemm as gemm_kernel
from fastkeras._kernels import rows as rows_kernel
from fastkeras._kernels import simple_rnn as kernel
from fastkeras._kernels.prefix import States
from fastkeras.core.rows import Rows, dense
from fastkeras.layers.core import positive_integer
from fastkeras.layers.layer import Layer
from fastkeras.layers.regularization import checked_rate, dropout_mask
from fastkeras.random_state import SeedGenerator

_LINEAR = activations.get("linear").kernel


class SimpleRNN(Layer):
    """h_t = activation(x_t @ kernel + h_{t-1} @ recurrent_kernel + bias)

    x: (B, T, D) float32, or Rows of that shape; kernel (D, units), recurrent_kernel (units, units), bias (units,).
    Returns h_T (B, units); with return_sequences all h_t (B, T, units) as Rows over the distinct states; with
    return_state also the last state (B, units).

    Arguments: those of keras.layers.SimpleRNN. A masked step leaves the state as it is and repeats the output. In
    training, dropout and recurrent_dropout multiply x_t and h_{t-1} by one mask per batch row, the same at all steps
    (Gal and Ghahramani 2016); each batch row then has states of its own. unroll and implementation are accepted;
    there is one implementation.
    """

    supports_masking = True
    weights_place = "cell"

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        input_length=None,
        implementation=None,
        **kwargs,
    ):
        if "input_dim" in kwargs:
            kwargs["input_shape"] = (input_length, kwargs.pop("input_dim"))
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_integer("SimpleRNN", "units", units)
        self.activation = activations.get(activation)
        if self.activation.kernel is None or self.activation.kernel.rowwise:
            raise ValueError(
                f"SimpleRNN: `activation` must be an elementwise activation of fastkeras.activations. "
                f"Received: {activation!r}"
            )
        self.use_bias = bool(use_bias)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.dropout = checked_rate("SimpleRNN", "dropout", dropout)
        self.recurrent_dropout = checked_rate("SimpleRNN", "recurrent_dropout", recurrent_dropout)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.unroll = bool(unroll)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.state = None  # what a stateful layer carries from batch to batch: (B, units)

    # --- shapes and weights ----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        if len(shape) != 3 or shape[2] is None:
            raise ValueError(
                f"Layer '{self.name}' (SimpleRNN): expected an input of shape (batch, steps, features). "
                f"Received: shape {tuple(shape)}"
            )
        if self.built and shape[2] != self.kernel.shape[0]:
            raise ValueError(
                f"Layer '{self.name}' (SimpleRNN): expected {self.kernel.shape[0]} input features on the last axis. "
                f"Received: shape {tuple(shape)}"
            )

    def build(self, input_shape):
        D = (input_shape[0] if isinstance(input_shape, list) else input_shape)[-1]
        self.kernel = self.add_weight_as_told("kernel", (D, self.units))
        self.recurrent_kernel = self.add_weight_as_told("recurrent_kernel", (self.units, self.units), "recurrent")
        self.bias = self.add_weight_as_told("bias", (self.units,)) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        B, T = (input_shape[0] if isinstance(input_shape, list) else input_shape)[:2]
        y = (B, T, self.units) if self.return_sequences else (B, self.units)
        return [y, (B, self.units)] if self.return_state else y

    def compute_mask(self, x, mask):
        y = mask if self.return_sequences else None
        return [y, None] if self.return_state else y

    # --- the pass --------------------------------------------------------------------------------------------------

    def forward(self, x, run):
        x, initial = (x[0], x[1]) if isinstance(x, list) else (x, None)
        given = initial is not None
        if given:
            initial, undo_initial = dense(initial, run, "initial")
        elif self.stateful:
            initial = self.state
        self._check_steps_and_state(x, initial)
        values, index, undo_input = self._input_rows(x, run)
        mask, m = run.mask, None
        if run.training and self.recurrent_dropout:
            shape = len(index), self.units
            m = dropout_mask(run, "recurrent_mask", shape, self.recurrent_dropout, self.seed_generator)
        if self.go_backwards:
            index = np.ascontiguousarray(index[:, ::-1])
            mask = None if mask is None else np.ascontiguousarray(mask[:, ::-1])
        states = States(index, mask, own_roots=initial is not None, share=type(x) is Rows and m is None)
        W, R, f = self.kernel.value, self.recurrent_kernel.value, self.activation.kernel

        P = run.buffer("P", (len(values), self.units))
        # P = x W + b over distinct input rows
        dense_kernel.forward(P, None, values, W, self.bias.value if self.use_bias else None, _LINEAR)
        h = run.buffer("h", (states.first + states.count, self.units))
        h[0] = 0.0
        if initial is not None:
            h[1 : states.first] = initial
        z = run.buffer("z", (states.count, self.units)) if f.needs_input else None
        kernel.forward(h, z, P, R, m, f, states)  # h_s = f(P[row_s] + h[parent_s] R)

        last = run.buffer("last", (len(index), self.units))
        rows_kernel.gather(last, h, states.last)
        if self.stateful:
            self.state = last.copy()
        outputs = np.ascontiguousarray(states.state[:, -1])

        def backward(dy):
            dy, dlast = dy if self.return_state else (dy, None)
            dh = self._output_gradient(dy, dlast, outputs, states, h.shape, run)
            dz = run.buffer("dz", (states.count, self.units))
            kernel.backward(dh, dz, h, z, R, m, f, states)  # dz_s = f'(z_s) dh_s    dh[parent_s] += dz_s R^T
            if run.trains:
                hp = run.buffer("hp", dz.shape)
                kernel.inputs(hp, h, m, states)
                gemm_kernel.gemm(self.recurrent_kernel.grad, hp, dz, trans_a=True, accumulate=True)  # dR += hp^T dz
            dP = run.buffer("dP", P.shape)
            dP.fill(0.0)
            rows_kernel.scatter_add(dP, dz, states.row)  # dP_r = sum of dz_s over row_s = r
            dvalues = run.buffer("dvalues", values.shape) if run.wants_dx else None
            dW = self.kernel.grad if run.trains else None
            db = self.bias.grad if run.trains and self.use_bias else None
            dense_kernel.backward(dvalues, dW, db, None, dP, values, W, P, None, _LINEAR)
            dx = undo_input(dvalues) if run.wants_dx else None
            return [dx, undo_initial(dh[1 : states.first])] if given else dx

        y = Rows(h, states.state) if self.return_sequences else self._last_output(h, outputs, last, initial, run)
        return ([y, last] if self.return_state else y), backward

    def _check_steps_and_state(self, x, initial):
        if x.shape[1] == 0:
            raise ValueError(f"Layer '{self.name}' (SimpleRNN): expected at least one step. Received: shape {x.shape}")
        wanted = (x.shape[0], self.units)
        if initial is not None and initial.shape != wanted:
            hint = ", or reset_states() before batches of another size" if self.stateful else ""
            raise ValueError(
                f"Layer '{self.name}' (SimpleRNN): expected an initial state of shape {wanted}{hint}. "
                f"Received: shape {initial.shape}"
            )

    def _last_output(self, h, outputs, last, initial, run):
        """h at the last step: the last state, but zero for a row whose every step is masked (as in Keras)."""
        if initial is None:
            return last
        y = run.buffer("y", last.shape)
        rows_kernel.gather(y, h, outputs)
        return y

    def _output_gradient(self, dy, dlast, outputs, states, shape, run):
        """dL/dh of every state as far as it comes from the layer's outputs."""
        if self.return_sequences and dy is not None:
            dh = dy
        else:
            dh = run.buffer("dh", shape)
            dh.fill(0.0)
            if dy is not None:
                rows_kernel.scatter_add(dh, dy, outputs)
        if dlast is not None:
            rows_kernel.scatter_add(dh, dlast, states.last)
        return dh

    def _input_rows(self, x, run):
        """The rows to project (R, D), the index of each step among them (B, T), and the way back for gradients."""
        if run.training and self.dropout:
            x, back = dense(x, run)
            m = dropout_mask(run, "mask", (len(x), x.shape[2]), self.dropout, self.seed_generator)[:, None, :]
            dropped = np.multiply(x, m, out=run.buffer("dropped", x.shape))
            values, index, _ = self._every_row(dropped, run)
            return values, index, lambda dvalues: back(dvalues.reshape(x.shape) * m)
        if type(x) is Rows:
            return x.values, x.index, lambda dvalues: dvalues
        return self._every_row(x, run)

    def _every_row(self, x, run):
        B, T, D = x.shape
        index = run.buffer("index", (B, T), np.int32)
        index[...] = np.arange(B * T, dtype=np.int32).reshape(B, T)
        return x.reshape(B * T, D), index, lambda dvalues: dvalues.reshape(x.shape)

    def reset_states(self, states=None):
        """Forgets the state a stateful layer carries, or sets it to `states` (B, units)."""
        self.state = None if states is None else np.array(states, np.float32)

    reset_state = reset_states

    def get_config(self):
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.options_config("kernel", "recurrent", "bias"),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
