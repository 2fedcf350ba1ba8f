"""The recurrent layers over a batch (B, T) of projected inputs p = x W + b.

A layer is a step, from the states before it to those after it, taken at every step of a row that is not masked; the
first state, h, is what it puts out. Gates lie side by side in p and R, in Keras's order. The dropout mask m (B, U)
multiplies h_{t-1} where it meets R.

    p (B, T, G U)   R (U, G U)   states (B, U), zero if None   mask (B, T) bool, all steps if None   m, ones if None
"""

import numpy as np

from reference.activations import activation as named

# --- the time loop -----------------------------------------------------------------------------------------------


def through_time(step, p, states, mask):
    """The outputs (B, T, U), which masked steps repeat and which are zero before a row's first step, and the last
    states."""
    outputs = np.zeros((*p.shape[:2], states[0].shape[1]))
    y = np.zeros(states[0].shape)
    for t in range(p.shape[1]):
        steps = mask[:, t, None]
        new = step(p[:, t], *states)
        states = [np.where(steps, n, s) for n, s in zip(new, states, strict=True)]
        y = np.where(steps, new[0], y)
        outputs[:, t] = y
    return outputs, *states


def through_time_backward(step, step_backward, dy, dstates, p, states, mask):
    """(dp, gradients of the weights ..., gradients of the first states ...)

    dy (B, T, U) and dstates: the gradients of the outputs and of the last states. step_backward(dnew, p_t, *states)
    gives dp_t, the gradients of the states before the step, and those of the weights.
    """
    before = [states]
    for t in range(p.shape[1]):
        new = step(p[:, t], *before[t])
        before.append([np.where(mask[:, t, None], n, s) for n, s in zip(new, before[t], strict=True)])

    dp, dweights = np.zeros(p.shape), []
    dout = np.zeros(states[0].shape)  # of an output that masked steps repeat
    for t in reversed(range(p.shape[1])):
        steps = mask[:, t, None]
        dout = dout + dy[:, t]
        dnew = [np.where(steps, d, 0) for d in (dstates[0] + dout, *dstates[1:])]  # nothing comes from masked steps
        dp[:, t], dold, dw = step_backward(dnew, p[:, t], *before[t])
        dweights.append(dw)
        dstates = [np.where(steps, old, d) for old, d in zip(dold, dstates, strict=True)]
        dout = np.where(steps, 0, dout)
    return dp, *(sum(parts) for parts in zip(*dweights, strict=True)), *dstates


def given(p, R, states, mask, m):
    """What was left out: zero states, a mask that lets all steps through, a dropout mask of ones."""
    B, T, U = p.shape[0], p.shape[1], len(R)
    states = [np.zeros((B, U)) if s is None else np.array(s, np.float64) for s in states]
    return states, np.ones((B, T), bool) if mask is None else mask, np.ones((B, U)) if m is None else m


# --- SimpleRNN ---------------------------------------------------------------------------------------------------


def simple_rnn_steps(R, m, activation):
    """h = act(p + (m h') R)    with h' the state before the step"""
    act, act_backward = named(activation)

    def step(p, h):
        return (act(p + (m * h) @ R),)

    def backward(dnew, p, h):
        dz = act_backward(dnew[0], p + (m * h) @ R)
        return dz, [m * (dz @ R.T)], [(m * h).T @ dz]

    return step, backward


def simple_rnn(p, R, h0=None, mask=None, m=None, activation="tanh"):
    """The outputs (B, T, U) and the last h (B, U)."""
    states, mask, m = given(p, R, [h0], mask, m)
    step, _ = simple_rnn_steps(R, m, activation)
    return through_time(step, p, states, mask)


def simple_rnn_backward(dy, dlast, p, R, h0=None, mask=None, m=None, activation="tanh"):
    """(dp, dR, dh0)"""
    states, mask, m = given(p, R, [h0], mask, m)
    return through_time_backward(*simple_rnn_steps(R, m, activation), dy, [dlast], p, states, mask)


# --- LSTM: Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000 -------------


def lstm_steps(R, m, activation, recurrent_activation):
    """i, f, a, o = g(z_i), g(z_f), act(z_a), g(z_o)    z = p + (m h') R in four parts, i f a o (a is Keras's c)
    c = f c' + i a    h = o act(c)    with h', c' the states before the step"""
    act, act_backward = named(activation)
    g, g_backward = named(recurrent_activation)

    def gates(p, h):
        z_i, z_f, z_a, z_o = np.split(p + (m * h) @ R, 4, axis=1)
        return (z_i, z_f, z_a, z_o), (g(z_i), g(z_f), act(z_a), g(z_o))

    def step(p, h, c):
        _, (i, f, a, o) = gates(p, h)
        c = f * c + i * a
        return o * act(c), c

    def backward(dnew, p, h, c):
        (z_i, z_f, z_a, z_o), (i, f, a, o) = gates(p, h)
        new_c = f * c + i * a
        dh, dc = dnew
        dc = dc + act_backward(dh * o, new_c)
        dz_i, dz_f = g_backward(dc * a, z_i), g_backward(dc * c, z_f)
        dz_a, dz_o = act_backward(dc * i, z_a), g_backward(dh * act(new_c), z_o)
        dz = np.concatenate([dz_i, dz_f, dz_a, dz_o], axis=1)
        return dz, [m * (dz @ R.T), dc * f], [(m * h).T @ dz]

    return step, backward


def lstm(p, R, h0=None, c0=None, mask=None, m=None, activation="tanh", recurrent_activation="sigmoid"):
    """The outputs (B, T, U), the last h (B, U) and the last c (B, U)."""
    states, mask, m = given(p, R, [h0, c0], mask, m)
    step, _ = lstm_steps(R, m, activation, recurrent_activation)
    return through_time(step, p, states, mask)


def lstm_backward(
    dy, dh, dc, p, R, h0=None, c0=None, mask=None, m=None, activation="tanh", recurrent_activation="sigmoid"
):
    """(dp, dR, dh0, dc0)    dh, dc (B, U): the gradients of the last states"""
    states, mask, m = given(p, R, [h0, c0], mask, m)
    steps = lstm_steps(R, m, activation, recurrent_activation)
    return through_time_backward(*steps, dy, [dh, dc], p, states, mask)


# --- GRU: Cho et al. 2014; the reset gate after the product, as cuDNN has it, or before it, as in the paper ---------


def gru_steps(R, m, activation="tanh", recurrent_activation="sigmoid", reset_after=True, b=None):
    if not reset_after:
        return gru_reset_before_steps(R, m, activation, recurrent_activation)
    return gru_reset_after_steps(R, np.zeros(R.shape[1]) if b is None else b, m, activation, recurrent_activation)


def gru_reset_after_steps(R, b, m, activation, recurrent_activation):
    """z, r, a = g(x_z), g(x_r), act(x_a)    q = (m h') R + b in three parts, z r a (a is Keras's h)
    x_z = p_z + q_z    x_r = p_r + q_r    x_a = p_a + r q_a
    h = z h' + (1 - z) a    with h' the state before the step"""
    act, act_backward = named(activation)
    g, g_backward = named(recurrent_activation)

    def sums(p, h):
        (p_z, p_r, p_a), (q_z, q_r, q_a) = np.split(p, 3, axis=1), np.split((m * h) @ R + b, 3, axis=1)
        x_z, x_r = p_z + q_z, p_r + q_r
        return x_z, x_r, p_a + g(x_r) * q_a, q_a

    def step(p, h):
        x_z, _, x_a, _ = sums(p, h)
        z, a = g(x_z), act(x_a)
        return (z * h + (1 - z) * a,)

    def backward(dnew, p, h):
        x_z, x_r, x_a, q_a = sums(p, h)
        z, r, a, dh = g(x_z), g(x_r), act(x_a), dnew[0]
        dx_z, dx_a = g_backward(dh * (h - a), x_z), act_backward(dh * (1 - z), x_a)
        dx_r = g_backward(dx_a * q_a, x_r)
        dp = np.concatenate([dx_z, dx_r, dx_a], axis=1)
        dq = np.concatenate([dx_z, dx_r, r * dx_a], axis=1)
        return dp, [dh * z + m * (dq @ R.T)], [(m * h).T @ dq, dq.sum(axis=0)]

    return step, backward


def gru_reset_before_steps(R, m, activation, recurrent_activation):
    """z, r, a = g(x_z), g(x_r), act(x_a)
    x_z = p_z + (m h') R_z    x_r = p_r + (m h') R_r    x_a = p_a + (r m h') R_a
    h = z h' + (1 - z) a    with h' the state before the step"""
    act, act_backward = named(activation)
    g, g_backward = named(recurrent_activation)
    U = len(R)
    R_zr, R_a = R[:, : 2 * U], R[:, 2 * U :]

    def sums(p, h):
        x_z, x_r = np.split(p[:, : 2 * U] + (m * h) @ R_zr, 2, axis=1)
        return x_z, x_r, p[:, 2 * U :] + (g(x_r) * m * h) @ R_a

    def step(p, h):
        x_z, _, x_a = sums(p, h)
        z, a = g(x_z), act(x_a)
        return (z * h + (1 - z) * a,)

    def backward(dnew, p, h):
        x_z, x_r, x_a = sums(p, h)
        z, r, a, dh = g(x_z), g(x_r), act(x_a), dnew[0]
        dx_z, dx_a = g_backward(dh * (h - a), x_z), act_backward(dh * (1 - z), x_a)
        drmh = dx_a @ R_a.T
        dx_r = g_backward(drmh * m * h, x_r)
        dx_zr = np.concatenate([dx_z, dx_r], axis=1)
        dR = np.concatenate([(m * h).T @ dx_zr, (r * m * h).T @ dx_a], axis=1)
        return np.concatenate([dx_zr, dx_a], axis=1), [dh * z + m * (dx_zr @ R_zr.T + r * drmh)], [dR]

    return step, backward


def gru(p, R, b=None, h0=None, mask=None, m=None, **options):
    """The outputs (B, T, U) and the last h (B, U).

    options: activation ("tanh"), recurrent_activation ("sigmoid"), reset_after (True). b (3 U): the recurrent bias,
    which there is with reset_after only, zero if None.
    """
    states, mask, m = given(p, R, [h0], mask, m)
    step, _ = gru_steps(R, m, b=b, **options)
    return through_time(step, p, states, mask)


def gru_backward(dy, dlast, p, R, b=None, h0=None, mask=None, m=None, **options):
    """(dp, dR, db, dh0) with reset_after, (dp, dR, dh0) without"""
    states, mask, m = given(p, R, [h0], mask, m)
    return through_time_backward(*gru_steps(R, m, b=b, **options), dy, [dlast], p, states, mask)
