"""The mathematics of the whole library, as its equations stand, in float64 numpy: the specification.

Each operation is a function, and its gradient the function of the same name with `_backward`. The kernels are
held to these, and these to central differences (tests/test_reference.py). Clarity comes first, speed nowhere.
"""

import numpy as np

# --- activations: y = f(x), dx = f'(x) dy -----------------------------------------------------------------


def linear(x):
    return x


def linear_backward(dy, x):
    return dy


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, x):
    return dy * (x > 0)


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))  # 1 / (1 + exp(-x))


def sigmoid_backward(dy, x):
    y = sigmoid(x)
    return dy * y * (1 - y)


def tanh(x):
    return np.tanh(x)


def tanh_backward(dy, x):
    return dy * (1 - np.tanh(x) ** 2)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(dy, x):
    y = softmax(x)
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_backward(dy, x):
    return dy - softmax(x) * dy.sum(axis=-1, keepdims=True)


# --- losses: one value per row of predictions; the gradient is that of sum_n dvalues_n values_n ------------
# Probabilities are clipped to [LOW, HIGH], as float32 numbers, and have no gradient outside.

LOW, HIGH = float(np.float32(1e-7)), float(np.float32(1 - 1e-7))


def clip(p):
    return np.clip(p, LOW, HIGH)


def clip_backward(dp, p):
    return dp * ((p >= LOW) & (p <= HIGH))


def smooth_binary(t, smoothing):
    return (1 - smoothing) * t + smoothing / 2


def smooth_categorical(t, smoothing):
    return (1 - smoothing) * t + smoothing / t.shape[-1]


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def mean_squared_error(y, t):
    return ((y - t) ** 2).mean(axis=-1)


def mean_squared_error_backward(dvalues, y, t):
    return dvalues[:, None] * 2 * (y - t) / y.shape[-1]


def mean_absolute_error(y, t):
    return np.abs(y - t).mean(axis=-1)


def mean_absolute_error_backward(dvalues, y, t):
    return dvalues[:, None] * np.sign(y - t) / y.shape[-1]


def binary_crossentropy(p, t):
    p = clip(p)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(axis=-1)


def binary_crossentropy_backward(dvalues, p, t):
    c = clip(p)
    return clip_backward(dvalues[:, None] * ((1 - t) / (1 - c) - t / c) / p.shape[-1], p)


def binary_crossentropy_from_logits(z, t):
    return (np.logaddexp(0, z) - t * z).mean(axis=-1)  # -t log p - (1 - t) log(1 - p) with p = sigmoid(z)


def binary_crossentropy_from_logits_backward(dvalues, z, t):
    return dvalues[:, None] * (sigmoid(z) - t) / z.shape[-1]


def categorical_crossentropy(p, t):
    return -(t * np.log(clip(p / p.sum(axis=-1, keepdims=True)))).sum(axis=-1)


def categorical_crossentropy_backward(dvalues, p, t):
    total = p.sum(axis=-1, keepdims=True)
    q = p / total
    dq = clip_backward(-dvalues[:, None] * t / clip(q), q)
    return (dq - (dq * q).sum(axis=-1, keepdims=True)) / total


def categorical_crossentropy_from_logits(z, t):
    return -(t * log_softmax(z)).sum(axis=-1)


def categorical_crossentropy_from_logits_backward(dvalues, z, t):
    return dvalues[:, None] * (softmax(z) - t)  # for t that sums to 1; TensorFlow uses it for all others too


def sparse_categorical_crossentropy(p, labels):
    p = clip(p)
    return -np.log(p[np.arange(len(p)), labels] / p.sum(axis=-1))


def sparse_categorical_crossentropy_backward(dvalues, p, labels):
    c = clip(p)
    dc = 1 / c.sum(axis=-1, keepdims=True) - one_hot(labels, p.shape[-1]) / c
    return clip_backward(dvalues[:, None] * dc, p)


def sparse_categorical_crossentropy_from_logits(z, labels):
    return categorical_crossentropy_from_logits(z, one_hot(labels, z.shape[-1]))


def sparse_categorical_crossentropy_from_logits_backward(dvalues, z, labels):
    return categorical_crossentropy_from_logits_backward(dvalues, z, one_hot(labels, z.shape[-1]))


# --- matrix products: C = op(A) op(B) + bias, dA and dB from dC -------------------------------------------


def matmul(A, B, bias=0.0, trans_a=False, trans_b=False):
    return (A.T if trans_a else A) @ (B.T if trans_b else B) + bias


def matmul_backward(dC, A, B):
    """of the plain form: (dA, dB, dbias)"""
    return dC @ B.T, A.T @ dC, dC.sum(axis=0)


# --- layers: dense, embedding, the simple recurrent layer -------------------------------------------------


def dense(x, W, b, activation="linear"):
    """y = f(x W + b)    x (B, D)   W (D, U)   b (U)"""
    return globals()[activation](x @ W + b)


def dense_backward(dy, x, W, b, activation="linear"):
    """(dx, dW, db)"""
    dz = globals()[activation + "_backward"](dy, x @ W + b)
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def embedding(table, ids):
    """y[b, t] = table[ids[b, t]]"""
    return table[ids]


def embedding_backward(dy, table, ids):
    """dtable"""
    dtable = np.zeros(table.shape)
    np.add.at(dtable, ids, dy)
    return dtable


def simple_rnn(p, R, h0=None, mask=None, m=None, activation="tanh"):
    """h_t = f(p_t + (m * h_{t-1}) R), and h_{t-1} where step t is masked

    p (B, T, U): the projected inputs x W + b   R (U, U)   h0 (B, U)   mask (B, T)   m (B, U), a dropout mask
    Returns the outputs (B, T, U), zero before a row's first unmasked step, and the last states (B, U).
    """
    B, T, U = p.shape
    h, y = (np.zeros((B, U)) if h0 is None else np.array(h0, np.float64)), np.zeros((B, U))
    m, mask = np.ones((B, U)) if m is None else m, np.ones((B, T), bool) if mask is None else mask
    outputs = np.zeros((B, T, U))
    for t in range(T):
        new, stays = globals()[activation](p[:, t] + (m * h) @ R), ~mask[:, t, None]
        h, y = np.where(stays, h, new), np.where(stays, y, new)
        outputs[:, t] = y
    return outputs, h


def simple_rnn_backward(dy, dlast, p, R, h0=None, mask=None, m=None, activation="tanh"):
    """(dp, dR, dh0)    dy (B, T, U) and dlast (B, U): the gradients of the outputs and of the last states"""
    B, T, U = p.shape
    h = [np.zeros((B, U)) if h0 is None else np.array(h0, np.float64)]
    m, mask = np.ones((B, U)) if m is None else m, np.ones((B, T), bool) if mask is None else mask
    for t in range(T):
        new = globals()[activation](p[:, t] + (m * h[t]) @ R)
        h.append(np.where(mask[:, t, None], new, h[t]))
    dh, dout = np.array(dlast, np.float64), np.zeros((B, U))  # dout: of an output that masked steps repeat
    dp, dR = np.zeros((B, T, U)), np.zeros((U, U))
    for t in reversed(range(T)):
        steps = mask[:, t, None]
        dout = dout + dy[:, t]
        dnew = np.where(steps, dh + dout, 0)
        dp[:, t] = globals()[activation + "_backward"](dnew, p[:, t] + (m * h[t]) @ R)
        dR += (m * h[t]).T @ dp[:, t]
        dh = np.where(steps, m * (dp[:, t] @ R.T), dh)
        dout = np.where(steps, 0, dout)
    return dp, dR, dh


# --- optimizers: one step from (p, what the optimizer keeps) with the gradient d to the new ones ----------


def seen_gradient(g, scale=1.0, clip=np.inf):
    return np.clip(scale * g, -clip, clip)


def decayed(p, rate, decay=0.0):
    return p - decay * rate * p


def sgd(p, m, d, rate, momentum=0.0, nesterov=False):
    """(p, m)"""
    m = momentum * m - rate * d
    return p + (momentum * m - rate * d if nesterov else m), m


def rmsprop(p, v, m, a, d, rate, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    """(p, v, m, a)"""
    v = rho * v + (1 - rho) * d**2
    a = rho * a + (1 - rho) * d
    m = momentum * m + rate * d / np.sqrt(v - (a**2 if centered else 0) + epsilon)
    return p - m, v, m, a


def adam(p, m, v, v_max, d, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    """(p, m, v, v_max); alpha has the roundings of float32, which at small t are 1e-5 of it"""
    power_1, power_2 = (np.float32(np.float64(np.float32(beta)) ** t) for beta in (beta_1, beta_2))
    alpha = np.float32(rate) * np.sqrt(1 - power_2) / (1 - power_1)
    m = m + (1 - beta_1) * (d - m)
    v = v + (1 - beta_2) * (d**2 - v)
    v_max = np.maximum(v_max, v)
    return p - alpha * m / (np.sqrt(v_max if amsgrad else v) + epsilon), m, v, v_max


def clip_by_norm(g, limit):
    norm = np.linalg.norm(g)
    return g if norm <= limit else g * limit / norm


# --- random numbers: Philox4x32-10 ------------------------------------------------------------------------


def philox(key, block, rounds=10):
    """The four 32-bit words of a block, from a 64-bit key and a 128-bit block number; plain integers."""
    key = [key & 0xFFFFFFFF, key >> 32]
    x = [(block >> shift) & 0xFFFFFFFF for shift in (0, 32, 64, 96)]
    for _ in range(rounds):
        high_0, low_0 = divmod(0xD2511F53 * x[0], 2**32)
        high_1, low_1 = divmod(0xCD9E8D57 * x[2], 2**32)
        x = [high_1 ^ x[1] ^ key[0], low_1, high_0 ^ x[3] ^ key[1], low_0]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return x


def random_word(position, key, counter):
    block = 32 * (position // 128) + position % 32
    return philox(key, counter << 64 | block)[position % 128 // 32]


def dropout(x, rate, key, counter):
    words = np.array([random_word(i, key, counter) for i in range(x.size)]).reshape(x.shape)
    return np.where(words >= np.floor(rate * 2**32), x / (1 - rate), 0.0) if rate < 1 else np.zeros(x.shape)


# --- penalties on weights, and what constraints make of weights -------------------------------------------


def l1_l2_penalty(w, l1=0.0, l2=0.0):
    return l1 * np.abs(w).sum() + l2 * (w**2).sum()


def orthogonal_penalty(w, factor, mode="rows"):
    """factor times the mean of |cos(angle)| over all pairs of rows or columns"""
    rows = w if mode == "rows" else w.T
    u = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [abs(u[i] @ u[j]) for i in range(len(u)) for j in range(i)]
    return factor * np.mean(pairs)


def min_max_norm(w, low, high, rate=1.0, axis=0):
    norm = np.sqrt((w**2).sum(axis=axis, keepdims=True))
    return w * (rate * np.clip(norm, low, high) + (1 - rate) * norm) / (norm + 1e-7)
