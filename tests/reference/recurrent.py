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
    """h = f(p + (m h') R)    with h' the state before the step"""
    f, f_backward = named(activation)

    def step(p, h):
        return (f(p + (m * h) @ R),)

    def backward(dnew, p, h):
        da = f_backward(dnew[0], p + (m * h) @ R)
        return da, [m * (da @ R.T)], [(m * h).T @ da]

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
    """i, f, g, o = s(a_i), s(a_f), F(a_g), s(a_o)    a = p + (m h') R, gates in the order i, f, g (Keras's c), o
    c = f c' + i g    h = o F(c)"""
    F, F_backward = named(activation)
    s, s_backward = named(recurrent_activation)

    def gates(p, h):
        a_i, a_f, a_g, a_o = np.split(p + (m * h) @ R, 4, axis=1)
        return (a_i, a_f, a_g, a_o), (s(a_i), s(a_f), F(a_g), s(a_o))

    def step(p, h, c):
        _, (i, f, g, o) = gates(p, h)
        c = f * c + i * g
        return o * F(c), c

    def backward(dnew, p, h, c):
        (a_i, a_f, a_g, a_o), (i, f, g, o) = gates(p, h)
        new_c = f * c + i * g
        dh, dc = dnew
        dc = dc + F_backward(dh * o, new_c)
        da_i, da_f = s_backward(dc * g, a_i), s_backward(dc * c, a_f)
        da_g, da_o = F_backward(dc * i, a_g), s_backward(dh * F(new_c), a_o)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        return da, [m * (da @ R.T), dc * f], [(m * h).T @ da]

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


def gru_steps(R, b, m, activation, recurrent_activation):
    """z, r = s(p_z + n_z), s(p_r + n_r)    n = (m h') R + b, gates in the order z, r, g (Keras's h)
    g = F(p_g + r n_g)    h = z h' + (1 - z) g"""
    F, F_backward = named(activation)
    s, s_backward = named(recurrent_activation)

    def gates(p, h):
        (p_z, p_r, p_g), (n_z, n_r, n_g) = np.split(p, 3, axis=1), np.split((m * h) @ R + b, 3, axis=1)
        a_z, a_r = p_z + n_z, p_r + n_r
        return a_z, a_r, n_g, p_g + s(a_r) * n_g

    def step(p, h):
        a_z, _, _, a_g = gates(p, h)
        z, g = s(a_z), F(a_g)
        return (z * h + (1 - z) * g,)

    def backward(dnew, p, h):
        a_z, a_r, n_g, a_g = gates(p, h)
        z, r, g, dh = s(a_z), s(a_r), F(a_g), dnew[0]
        da_z, da_g = s_backward(dh * (h - g), a_z), F_backward(dh * (1 - z), a_g)
        da_r = s_backward(da_g * n_g, a_r)
        dn = np.concatenate([da_z, da_r, da_g * r], axis=1)
        dp = np.concatenate([da_z, da_r, da_g], axis=1)
        return dp, [dh * z + m * (dn @ R.T)], [(m * h).T @ dn, dn.sum(axis=0)]

    return step, backward


def gru_reset_before_steps(R, m, activation, recurrent_activation):
    """z, r = s(p_z + (m h') R_z), s(p_r + (m h') R_r)
    g = F(p_g + (r m h') R_g)    h = z h' + (1 - z) g"""
    F, F_backward = named(activation)
    s, s_backward = named(recurrent_activation)
    U = len(R)
    R_zr, R_g = R[:, : 2 * U], R[:, 2 * U :]

    def gates(p, h):
        a_z, a_r = np.split(p[:, : 2 * U] + (m * h) @ R_zr, 2, axis=1)
        return a_z, a_r, p[:, 2 * U :] + (s(a_r) * m * h) @ R_g

    def step(p, h):
        a_z, _, a_g = gates(p, h)
        z, g = s(a_z), F(a_g)
        return (z * h + (1 - z) * g,)

    def backward(dnew, p, h):
        a_z, a_r, a_g = gates(p, h)
        z, r, g, dh = s(a_z), s(a_r), F(a_g), dnew[0]
        da_z, da_g = s_backward(dh * (h - g), a_z), F_backward(dh * (1 - z), a_g)
        drmh = da_g @ R_g.T
        da_r = s_backward(drmh * m * h, a_r)
        da_zr = np.concatenate([da_z, da_r], axis=1)
        dR = np.concatenate([(m * h).T @ da_zr, (r * m * h).T @ da_g], axis=1)
        return np.concatenate([da_zr, da_g], axis=1), [dh * z + m * (da_zr @ R_zr.T + r * drmh)], [dR]

    return step, backward


def gru(p, R, b=None, h0=None, mask=None, m=None, activation="tanh", recurrent_activation="sigmoid", reset_after=True):
    """The outputs (B, T, U) and the last h (B, U). b (3 U): the recurrent bias, for reset_after only, zero if None"""
    states, mask, m = given(p, R, [h0], mask, m)
    step, _ = _gru_steps(R, b, m, activation, recurrent_activation, reset_after)
    return through_time(step, p, states, mask)


def gru_backward(
    dy,
    dlast,
    p,
    R,
    b=None,
    h0=None,
    mask=None,
    m=None,
    activation="tanh",
    recurrent_activation="sigmoid",
    reset_after=True,
):
    """(dp, dR, db, dh0) for reset_after, (dp, dR, dh0) without"""
    states, mask, m = given(p, R, [h0], mask, m)
    steps = _gru_steps(R, b, m, activation, recurrent_activation, reset_after)
    return through_time_backward(*steps, dy, [dlast], p, states, mask)


def _gru_steps(R, b, m, activation, recurrent_activation, reset_after):
    if reset_after:
        return gru_steps(R, np.zeros(R.shape[1]) if b is None else b, m, activation, recurrent_activation)
    return gru_reset_before_steps(R, m, activation, recurrent_activation)
