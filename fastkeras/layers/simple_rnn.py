"""SimpleRNN."""

from fastkeras._kernels import simple_rnn as kernel
from fastkeras.layers.recurrent import Recurrent


class SimpleRNN(Recurrent):
    """h_t = activation(x_t @ kernel + h_{t-1} @ recurrent_kernel + bias)

    kernel (D, units), recurrent_kernel (units, units), bias (units,). Arguments: those of keras.layers.SimpleRNN; what
    the layer takes and returns is told in Recurrent.
    """

    def __init__(self, units, activation="tanh", use_bias=True, **kwargs):
        super().__init__(units, activation, use_bias, **kwargs)

    def step(self, cells, P, m, states, run):
        (h,), f, R = cells, self.activation.kernel, self.recurrent_kernel.value
        z = run.buffer("z", (states.count, self.units)) if f.needs_input else None
        kernel.forward(h, z, P, R, m, f, states)  # h_s = f(P[row_s] + h[parent_s] R)

        def backward(dcells, dP):
            (dh,) = dcells
            dz = run.buffer("dz", (states.count, self.units))
            kernel.backward(dh, dz, h, z, R, m, f, states)  # dz_s = f'(z_s) dh_s    dh[parent_s] += dz_s R^T
            self.add_gradients(dP, dz, h, m, states, run)

        return backward

    def equations(self, p, hr, h):
        return [self.activation(p + hr @ self.recurrent_kernel)]
