"""GRU."""

from fastkeras import activations
from fastkeras._kernels import dense as dense_kernel
from fastkeras._kernels import gru as kernel
from fastkeras.layers.recurrent import Recurrent


class GRU(Recurrent):
    """The gated recurrent unit (Cho et al. 2014).

        z = g(x_t W_z + h_{t-1} R_z + b_z)   r = g(x_t W_r + h_{t-1} R_r + b_r)      g: the recurrent activation
        a = activation(x_t W_a + b_a + r (h_{t-1} R_a + b'_a))                       if reset_after
        a = activation(x_t W_a + b_a + (r h_{t-1}) R_a)                              if not
        h_t = z h_{t-1} + (1 - z) a

    kernel W (D, 3 units) and recurrent_kernel R (units, 3 units) hold the parts z, r, a; bias (2, 3 units) has a row
    for x_t W and one for h_{t-1} R if reset_after, else it is (3 units,). Arguments: those of keras.layers.GRU; what
    the layer takes and returns is told in Recurrent.
    """

    gates = 3
    activation_names = ("activation", "recurrent_activation")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        *,
        reset_after=True,
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_cudnn = self.asked_for_cudnn(use_cudnn)
        self.reset_after = bool(reset_after)

    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self):
        """b, and of the recurrent row the parts that are added at the same place."""
        if not self.use_bias or not self.reset_after:
            return super().input_bias()
        b, recurrent = self.bias.value
        total = b.copy()
        total[: 2 * self.units] += recurrent[: 2 * self.units]
        return total

    def step(self, cells, P, m, states, run):
        (h,), act, g = cells, self.activation.kernel, self.recurrent_activation.kernel
        R, U, after = self.recurrent_kernel.value, self.units, self.reset_after
        b_a = self.bias.value[1, 2 * U :] if self.use_bias and after else None
        kept = self.keeps_gates(run) or not after
        gates = run.buffer("gates", (states.count, (4 if after else 3) * U)) if kept else None
        inner = None if after else run.buffer("inner", (states.count, U))
        x = run.buffer("x", (states.count, 3 * U)) if kept and (act.needs_input or g.needs_input) else None
        kernel.forward(h, gates, inner, x, P, R, b_a, m, act, g, states, after)

        def backward(dcells, dP):
            (dh,) = dcells
            kernel.backward(dh, gates, x, h, R, m, act, g, states, after)  # the gates become gradients
            if not after:  # inner is what R_a multiplied
                self.add_gradients(dP, gates, h, m, states, run, columns=2 * U)
                self.add_gradients(dP, gates, inner, None, states, run, at=2 * U)
                return
            self.add_gradients(dP, gates, h, m, states, run, P_columns=2 * U, P_gap=U)  # r multiplies h R only
            if run.trains and self.use_bias:
                dense_kernel.add_column_sums(self.bias.grad[0], dP)

        return backward

    def equations(self, p, hr, h):
        U, g, R = self.units, self.recurrent_activation, self.recurrent_kernel
        q = hr @ (R if self.reset_after else R[:, : 2 * U])
        z, r = g(p[:, :U] + q[:, :U]), g(p[:, U : 2 * U] + q[:, U : 2 * U])
        if not self.reset_after:
            inner = (r * hr) @ R[:, 2 * U :]
        else:
            inner = r * (q[:, 2 * U :] + self.bias[1, 2 * U :] if self.use_bias else q[:, 2 * U :])
        a = self.activation(p[:, 2 * U :] + inner)
        return [z * h + (1 - z) * a]

    def add_bias_gradient(self, dP):
        U, grad = self.units, self.bias.grad
        if not self.reset_after:
            super().add_bias_gradient(dP)
            return
        sums = dP.sum(axis=0)
        grad[0] += sums
        grad[1, : 2 * U] += sums[: 2 * U]  # input_bias() adds these parts of the recurrent row

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
