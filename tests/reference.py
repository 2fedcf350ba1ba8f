"""The mathematics of the whole library, as its equations stand, in float64 numpy: the specification.

Each operation is a function, and its gradient the function of the same name with `_backward`. The kernels are
held to these, and these to central differences (tests/test_reference.py). Clarity comes first, speed nowhere.
"""

import math

import numpy as np

# --- activations: y = f(x), dx = f'(x) dy -----------------------------------------------------------------


# Keras's activations, and the numbers they are tested with
ACTIVATIONS = {
    "linear": (),
    "relu": (),
    "sigmoid": (),
    "tanh": (),
    "softmax": (),
    "log_softmax": (),
    "sparsemax": (),
    "leaky_relu": (0.3,),
    "relu6": (),
    "elu": (0.7,),
    "selu": (),
    "celu": (1.3,),
    "gelu": (),
    "gelu_tanh": (),
    "silu": (),
    "hard_silu": (),
    "mish": (),
    "softplus": (),
    "softsign": (),
    "hard_sigmoid": (),
    "log_sigmoid": (),
    "tanh_shrink": (),
    "hard_tanh": (),
    "hard_shrink": (0.4,),
    "soft_shrink": (0.4,),
    "threshold": (0.2, -0.7),
    "sparse_plus": (),
    "sparse_sigmoid": (),
    "squareplus": (2.5,),
    "exponential": (),
}
GENERAL_RELUS = [(0.1, None, 0.0), (0.0, 1.5, 0.0), (0.2, 2.0, 0.5), (0.3, 2.0, -0.5), (0.3, None, -0.5)]


def linear(x):
    return x


def linear_backward(dy, x):
    return dy


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, x):
    return dy * (x > 0)


def general_relu(x, slope, maximum, threshold):
    above = x if maximum is None else np.clip(x, 0, maximum)
    return np.where(x > threshold, above, slope * (x - threshold))


def general_relu_backward(dy, x, slope, maximum, threshold):
    above = 1 if maximum is None else (x >= 0) & (x <= maximum)
    return dy * np.where(x > threshold, above, slope)


def leaky_relu(x, slope):
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(dy, x, slope):
    return dy * np.where(x > 0, 1, slope)


def relu6(x):
    return np.clip(x, 0, 6)


def relu6_backward(dy, x):
    return dy * ((x > 0) & (x < 6))


def elu(x, a):
    return np.where(x > 0, x, a * np.expm1(x))


def elu_backward(dy, x, a):
    return dy * np.where(x > 0, 1, a * np.exp(x))


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def selu(x):
    return SELU_SCALE * elu(x, SELU_ALPHA)


def selu_backward(dy, x):
    return SELU_SCALE * elu_backward(dy, x, SELU_ALPHA)


def celu(x, a):
    return np.maximum(x, 0) + a * np.expm1(np.minimum(x, 0) / a)


def celu_backward(dy, x, a):
    return dy * np.where(x > 0, 1, np.exp(x / a))


def gelu(x):
    return x * normal_cdf(x)


def gelu_backward(dy, x):
    return dy * (normal_cdf(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))


def normal_cdf(x):
    return (1 + np.vectorize(math.erf, otypes=[float])(x / np.sqrt(2))) / 2


def gelu_tanh(x):
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


def gelu_tanh_backward(dy, x):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return dy * ((1 + t) / 2 + x * (1 - t**2) / 2 * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2))


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))  # 1 / (1 + exp(-x))


def sigmoid_backward(dy, x):
    return dy * sigmoid(x) * sigmoid(-x)


def silu(x):
    return x * sigmoid(x)


def silu_backward(dy, x):
    return dy * (sigmoid(x) + x * sigmoid(x) * sigmoid(-x))


def hard_sigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


def hard_sigmoid_backward(dy, x):
    return dy * ((x > -3) & (x < 3)) / 6


def hard_silu(x):
    return x * hard_sigmoid(x)


def hard_silu_backward(dy, x):
    return dy * hard_sigmoid(x) + hard_sigmoid_backward(dy, x) * x


def softplus(x):
    return np.logaddexp(0, x)


def softplus_backward(dy, x):
    return dy * sigmoid(x)


def mish(x):
    return x * np.tanh(softplus(x))


def mish_backward(dy, x):
    return dy * np.tanh(softplus(x)) + softplus_backward(tanh_backward(dy * x, softplus(x)), x)


def log_sigmoid(x):
    return -softplus(-x)


def log_sigmoid_backward(dy, x):
    return dy * sigmoid(-x)


def softsign(x):
    return x / (1 + np.abs(x))


def softsign_backward(dy, x):
    return dy / (1 + np.abs(x)) ** 2


def tanh(x):
    return np.tanh(x)


def tanh_backward(dy, x):
    return dy * (1 - np.tanh(x) ** 2)


def tanh_shrink(x):
    return x - np.tanh(x)


def tanh_shrink_backward(dy, x):
    return dy * np.tanh(x) ** 2


def hard_tanh(x):
    return np.clip(x, -1, 1)


def hard_tanh_backward(dy, x):
    return dy * ((x >= -1) & (x <= 1))


def hard_shrink(x, a):
    return np.where(np.abs(x) > a, x, 0)


def hard_shrink_backward(dy, x, a):
    return dy * (np.abs(x) > a)


def soft_shrink(x, a):
    return np.sign(x) * np.maximum(np.abs(x) - a, 0)


def soft_shrink_backward(dy, x, a):
    return dy * (np.abs(x) > a)


def threshold(x, a, otherwise):
    return np.where(x > a, x, otherwise)


def threshold_backward(dy, x, a, otherwise):
    return dy * (x > a)


def sparse_plus(x):
    return np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))


def sparse_plus_backward(dy, x):
    return dy * sparse_sigmoid(x)


def sparse_sigmoid(x):
    return np.clip((x + 1) / 2, 0, 1)


def sparse_sigmoid_backward(dy, x):
    return dy * (np.abs(x) < 1) / 2


def squareplus(x, a):
    return (x + np.sqrt(x**2 + a)) / 2


def squareplus_backward(dy, x, a):
    return dy * (1 + x / np.sqrt(x**2 + a)) / 2


def exponential(x):
    return np.exp(x)


def exponential_backward(dy, x):
    return dy * np.exp(x)


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


def sparsemax(x):
    """Martins and Astudillo, 2016, algorithm 1."""
    z = -np.sort(-x, axis=-1)
    k = np.arange(1, x.shape[-1] + 1)
    support = (1 + k * z > np.cumsum(z, axis=-1)).sum(axis=-1, keepdims=True)
    tau = (np.take_along_axis(np.cumsum(z, axis=-1), support - 1, axis=-1) - 1) / support
    return np.maximum(x - tau, 0)


def sparsemax_backward(dy, x):
    support = sparsemax(x) > 0
    return support * (dy - (dy * support).sum(axis=-1, keepdims=True) / support.sum(axis=-1, keepdims=True))


def glu(x):
    a, b = np.split(x, 2, axis=-1)
    return a * sigmoid(b)


def glu_backward(dy, x):
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([dy * sigmoid(b), sigmoid_backward(dy * a, b)], axis=-1)


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


# --- metrics: one value per row of predictions ------------------------------------------------------------


def equal_accuracy(y, t):
    return (y == t).mean(axis=-1)


def binary_accuracy(y, t, threshold=0.5):
    return ((y > threshold) == t).mean(axis=-1)


def categorical_accuracy(y, t):
    return (y.argmax(axis=-1) == t.argmax(axis=-1)).astype(float)


def sparse_accuracy(y, labels):
    return (y.argmax(axis=-1) == labels).astype(float)


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
