"""LSTM."""

from fastkeras import activations
from fastkeras._kernels import lstm as kernel
from fastkeras.layers.recurrent import Recurrent


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997).

        z_t = x_t @ kernel + h_{t-1} @ recurrent_kernel + bias          in four parts, i f a o
        c_t = g(z_f) c_{t-1} + g(z_i) activation(z_a)                   g: the recurrent activation
        h_t = g(z_o) activation(c_t)

    kernel (D, 4 units), recurrent_kernel (units, 4 units), bias (4 units,), of which the part of f starts at one if
    unit_forget_bias (Jozefowicz et al. 2015). The states are h and c. Arguments: those of keras.layers.LSTM; what the
    layer takes and returns is told in Recurrent.
    """

    gates = 4
    activation_names = ("activation", "recurrent_activation")
    state_names = ("h", "c")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        *,
        unit_forget_bias=True,
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_cudnn = self.asked_for_cudnn(use_cudnn)
        self.unit_forget_bias = bool(unit_forget_bias)

    def build(self, input_shape):
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            self.bias.value[self.units : 2 * self.units] = 1.0

    def step(self, cells, P, m, states, run):
        (h, c), act, g = cells, self.activation.kernel, self.recurrent_activation.kernel
        R, shape = self.recurrent_kernel.value, (states.count, 4 * self.units)
        kept = self.keeps_gates(run)
        gates = run.buffer("gates", shape) if kept else None
        z = run.buffer("z", shape) if kept and (act.needs_input or g.needs_input) else None
        kernel.forward(h, c, gates, z, P, R, m, act, g, states)

        def backward(dcells, dP):
            dh, dc = dcells
            kernel.backward(dh, dc, gates, z, c, R, m, act, g, states)  # the gates become dz
            self.add_gradients(dP, gates, h, m, states, run)

        return backward

    def equations(self, p, hr, h, c):
        U, act, g = self.units, self.activation, self.recurrent_activation
        z = p + hr @ self.recurrent_kernel
        i, f, a, o = (z[:, k * U : (k + 1) * U] for k in range(4))
        c = g(f) * c + g(i) * act(a)
        return [g(o) * act(c), c]

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }
