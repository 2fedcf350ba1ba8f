"""Convolution and pooling of images x (B, H, W, C). A sequence is an image of height one.

Windows are taken one by one: window (p, q) has its first place at row SH p - top, column SW q - left.
"""

import numpy as np


def _taps(p, q, size, strides, dilation):
    """The rows and columns of x under window (p, q), without a border."""
    (KH, KW), (SH, SW), (DH, DW) = size, strides, dilation
    return np.ix_(range(SH * p, SH * p + DH * KH, DH), range(SW * q, SW * q + DW * KW, DW))


def _windows(x, W, strides, dilation, groups):
    """For each window and group: (p, q, an index of x, the filters of the group)."""
    H, width = x.shape[1:3]
    KH, KW, D, N = W.shape
    OH = (H - (KH - 1) * dilation[0] - 1) // strides[0] + 1
    OW = (width - (KW - 1) * dilation[1] - 1) // strides[1] + 1
    for p, q in np.ndindex(OH, OW):
        rows, columns = _taps(p, q, (KH, KW), strides, dilation)
        for g in range(groups):
            under = (slice(None), rows, columns, slice(g * D, (g + 1) * D))
            yield p, q, under, slice(g * (N // groups), (g + 1) * (N // groups))


def conv(x, W, b=None, strides=(1, 1), dilation=(1, 1), groups=1):
    """y[b,p,q,n] = bias_n + sum_ijd x[b, SH p + DH i, SW q + DW j, d] W[i,j,d,n]    W (KH, KW, C / groups, N)"""
    windows = list(_windows(x, W, strides, dilation, groups))
    y = np.zeros((len(x), 1 + windows[-1][0], 1 + windows[-1][1], W.shape[3]))
    for p, q, under, filters in windows:
        y[:, p, q, filters] = np.tensordot(x[under], W[..., filters], 3)
    return y if b is None else y + b


def conv_backward(dy, x, W, strides=(1, 1), dilation=(1, 1), groups=1):
    """(dx, dW, db)"""
    dx, dW = np.zeros(x.shape), np.zeros(W.shape)
    for p, q, under, filters in _windows(x, W, strides, dilation, groups):
        dx[under] += np.tensordot(dy[:, p, q, filters], W[..., filters], (1, 3))
        dW[..., filters] += np.tensordot(x[under], dy[:, p, q, filters], (0, 0))
    return dx, dW, dy.sum(axis=(0, 1, 2))


def from_peaks(g, place, shape):
    """dy[b, p, n] = sum of g[b, q, n] over q with place[b, q, n] = p    g, place (B, Q, N), dy (B, OH, OW, N)"""
    dy = np.zeros((shape[0], shape[1] * shape[2], shape[3]))
    for b, q, n in np.ndindex(g.shape):
        dy[b, place[b, q, n], n] += g[b, q, n]
    return dy.reshape(shape)


def pad(x, top, bottom, left, right):
    """x with a border of zeros."""
    return np.pad(x, [(0, 0), (top, bottom), (left, right), (0, 0)])


# --- depthwise convolution -------------------------------------------------------------------------------------------


def _windows_of_each_channel(x, W, strides, dilation):
    """For each window: (p, q, an index of x)."""
    for p, q, under, _ in _windows(x, W.reshape(*W.shape[:2], x.shape[3], -1), strides, dilation, 1):
        yield p, q, under


def depthwise(x, W, b=None, strides=(1, 1), dilation=(1, 1)):
    """y[b,p,q,c M + m] = bias_cm + sum_ij x[b, SH p + DH i, SW q + DW j, c] W[i,j,c,m]    W (KH, KW, C, M)"""
    windows = list(_windows_of_each_channel(x, W, strides, dilation))
    y = np.zeros((len(x), 1 + windows[-1][0], 1 + windows[-1][1], W.shape[2] * W.shape[3]))
    for p, q, under in windows:
        y[:, p, q] = np.einsum("bijc,ijcm->bcm", x[under], W).reshape(len(x), y.shape[3])
    return y if b is None else y + b


def depthwise_backward(dy, x, W, strides=(1, 1), dilation=(1, 1)):
    """(dx, dW, db)"""
    dx, dW = np.zeros(x.shape), np.zeros(W.shape)
    for p, q, under in _windows_of_each_channel(x, W, strides, dilation):
        d = dy[:, p, q].reshape(len(x), *W.shape[2:])
        dx[under] += np.einsum("bcm,ijcm->bijc", d, W)
        dW += np.einsum("bijc,bcm->ijcm", x[under], d)
    return dx, dW, dy.sum(axis=(0, 1, 2))


# --- transposed convolution ------------------------------------------------------------------------------------------


def _spread(x, W, strides, dilation, before, extents):
    """The shape that holds all windows and the part of it that `extents` places from `before` on are, and for each
    place of x: (p, q, the index of its window)."""
    reach = [
        (n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(x.shape[1:3], strides, W.shape, dilation, strict=False)
    ]
    shape = [max(r, b + n) for r, b, n in zip(reach, before, extents, strict=True)]
    part = (slice(None), *(slice(b, b + n) for b, n in zip(before, extents, strict=True)))
    places = [(p, q, (slice(None), *_taps(p, q, W.shape[:2], strides, dilation))) for p, q in np.ndindex(x.shape[1:3])]
    return (len(x), *shape, W.shape[2]), part, places


def conv_transpose(x, W, b=None, strides=(1, 1), dilation=(1, 1), before=(0, 0), extents=None):
    """y[b, SH p + DH i - top, SW q + DW j - left, n] = bias_n + sum of x[b,p,q,d] W[i,j,n,d] over all p, q, i, j, d
    that meet there    W (KH, KW, N, D)    before: (top, left)    extents: those of y"""
    shape, part, places = _spread(x, W, strides, dilation, before, extents)
    y = np.zeros(shape)
    for p, q, over in places:
        y[over] += np.tensordot(x[:, p, q], W, (1, 3))
    return y[part] if b is None else y[part] + b


def conv_transpose_backward(dy, x, W, strides=(1, 1), dilation=(1, 1), before=(0, 0)):
    """(dx, dW, db)"""
    shape, part, places = _spread(x, W, strides, dilation, before, dy.shape[1:3])
    d = np.zeros(shape)
    d[part] = dy
    dx, dW = np.zeros(x.shape), np.zeros(W.shape)
    for p, q, over in places:
        dx[:, p, q] = np.tensordot(d[over], W, 3)
        dW += np.tensordot(d[over], x[:, p, q], (0, 0))
    return dx, dW, dy.sum(axis=(0, 1, 2))


# --- pooling ---------------------------------------------------------------------------------------------------------


def _places(p, q, H, W, size, strides, before):
    """The places of window (p, q) that lie in an image of H x W, row by row."""
    top, left = (s * i - n for s, i, n in zip(strides, (p, q), before, strict=True))
    rows, columns = range(max(0, top), min(H, top + size[0])), range(max(0, left), min(W, left + size[1]))
    return [(h, w) for h in rows for w in columns]


def max_pool(x, size, strides, before, extents):
    """y[b,p,q,c] = the largest x[b,h,w,c] under window (p, q)

    `extents`: the numbers of windows; `before`: how many places of the first ones stand out in front
    """
    y = np.empty((len(x), *extents, x.shape[3]))
    for p, q in np.ndindex(*extents):
        y[:, p, q] = np.max([x[:, h, w] for h, w in _places(p, q, *x.shape[1:3], size, strides, before)], axis=0)
    return y


def max_pool_backward(dy, x, size, strides, before, extents):
    """dx; the first of equal maxima has the whole gradient"""
    dx = np.zeros(x.shape)
    for b, p, q, c in np.ndindex(dy.shape):
        places = _places(p, q, *x.shape[1:3], size, strides, before)
        h, w = max(places, key=lambda place: x[(b, *place, c)])
        dx[b, h, w, c] += dy[b, p, q, c]
    return dx


def average_pool(x, size, strides, before, extents, mask=None):
    """y[b,p,q,c] = the mean of x[b,h,w,c] under window (p, q), without border and masked places    mask (B, H, W)"""
    mask = np.ones(x.shape[:3], bool) if mask is None else mask
    y = np.empty((len(x), *extents, x.shape[3]))
    for b, p, q in np.ndindex(y.shape[:3]):
        places = _places(p, q, *x.shape[1:3], size, strides, before)
        y[b, p, q] = np.mean([x[b, h, w] for h, w in places if mask[b, h, w]], axis=0)
    return y


def average_pool_backward(dy, x, size, strides, before, extents, mask=None):
    """dx"""
    mask = np.ones(x.shape[:3], bool) if mask is None else mask
    dx = np.zeros(x.shape)
    for b, p, q in np.ndindex(dy.shape[:3]):
        places = [place for place in _places(p, q, *x.shape[1:3], size, strides, before) if mask[(b, *place)]]
        for h, w in places:
            dx[b, h, w] += dy[b, p, q] / len(places)
    return dx
