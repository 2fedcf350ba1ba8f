"""Hashes that are the same everywhere, for texts as bytes: those that TensorFlow sorts words into bins with.

fingerprint64: FarmHash's Fingerprint64 (https://github.com/google/farmhash).
siphash64: SipHash-2-4, with a key (Aumasson and Bernstein 2012, https://www.131002.net/siphash/siphash.pdf).

All arithmetic is that of 64-bit unsigned integers.
"""

_ALL = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _word(data, start, size=8):
    """The little-endian integer in `size` bytes."""
    return int.from_bytes(data[start : start + size], "little")


def _rotated(x, n):
    """x with its bits moved n places to the right; those that leave come in on the left."""
    x &= _ALL
    return (x >> n | x << (64 - n)) & _ALL


def _mixed(x):
    x &= _ALL
    return x ^ x >> 47


def _joined(u, v, factor):
    """One hash from two."""
    a = _mixed(((u ^ v) & _ALL) * factor)
    return _mixed(((v & _ALL) ^ a) * factor) * factor & _ALL


def fingerprint64(data):
    """FarmHash's Fingerprint64 of bytes, an integer below 2^64."""
    n = len(data)
    if n <= 16:
        return _up_to_16(data, n)
    if n <= 32:
        return _up_to_32(data, n)
    if n <= 64:
        return _up_to_64(data, n)
    return _beyond_64(data, n)


def _up_to_16(data, n):
    factor = _K2 + 2 * n
    if n >= 8:
        a, b = _word(data, 0) + _K2, _word(data, n - 8)
        return _joined(_rotated(b, 37) * factor + a, (_rotated(a, 25) + b) * factor, factor)
    if n >= 4:
        return _joined(n + (_word(data, 0, 4) << 3), _word(data, n - 4, 4), factor)
    if n > 0:
        y, z = data[0] + (data[n // 2] << 8), n + (data[n - 1] << 2)
        return _mixed(y * _K2 ^ z * _K0) * _K2 & _ALL
    return _K2


def _ends(data, n):
    """What texts of 17 to 64 bytes begin with: a, of the first word, and two hashes of the first and last 16 bytes."""
    factor = _K2 + 2 * n
    a, b = _word(data, 0) * (_K1 if n <= 32 else _K2), _word(data, 8)
    c, d = _word(data, n - 8) * factor, _word(data, n - 16) * _K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    return a, y, _joined(y, a + _rotated(b + _K2, 18) + c, factor)


def _up_to_32(data, n):
    return _ends(data, n)[2]


def _up_to_64(data, n):
    factor = _K2 + 2 * n
    a, y, z = _ends(data, n)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, n - 32)) * factor, (z + _word(data, n - 24)) * factor
    return _joined(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, factor)


def _stirred(data, start, a, b):
    """Two hashes of 32 bytes, from two that came before."""
    w, x, y, z = (_word(data, start + 8 * i) for i in range(4))
    a += w
    b = _rotated(b + a + z, 21)
    c, a = a, a + x + y
    return (a + z) & _ALL, (b + _rotated(a, 44) + c) & _ALL


def _beyond_64(data, n):
    x, y = 81 * _K2 + _word(data, 0), 81 * _K1 + 113
    z = _mixed(y * _K2 + 113) * _K2
    state = (x, y, z, (0, 0), (0, 0))
    for start in range(0, (n - 1) // 64 * 64, 64):
        state = _round(data, start, *state, _K1, 1)
    x, y, z, v, w = state
    factor = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + (n - 1) % 64, w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = _round(data, n - 64, x, y, z, v, w, factor, 9)
    return _joined(_joined(v[0], w[0], factor) + _mixed(y) * _K0 + z, _joined(v[1], w[1], factor) + x, factor)


def _round(data, start, x, y, z, v, w, factor, weight):
    """64 bytes more. weight: of the older hashes, 9 for the last bytes of all."""
    x = _rotated(x + y + v[0] + _word(data, start + 8), 37) * factor ^ w[1] * weight
    y = _rotated(y + v[1] + _word(data, start + 48), 42) * factor + v[0] * weight + _word(data, start + 40)
    z = _rotated(z + w[0], 33) * factor
    v = _stirred(data, start, v[1] * factor, x + w[0])
    w = _stirred(data, start + 32, z + w[1], y + _word(data, start + 16))
    return z & _ALL, y & _ALL, x & _ALL, v, w


def siphash64(data, key):
    """SipHash-2-4 of bytes with a key of two 64-bit integers, an integer below 2^64."""
    k0, k1 = (int(part) & _ALL for part in key)
    state = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for start in range(0, len(padded), 8):
        word = _word(padded, start)
        a, b, c, d = _turned((*state[:3], state[3] ^ word), 2)
        state = (a ^ word, b, c, d)
    a, b, c, d = _turned((state[0], state[1], state[2] ^ 0xFF, state[3]), 4)
    return a ^ b ^ c ^ d


def _turned(state, rounds):
    a, b, c, d = state
    for _ in range(rounds):
        a, c = (a + b) & _ALL, (c + d) & _ALL
        b, d = _rotated(b, 51) ^ a, _rotated(d, 48) ^ c
        a, c = (_rotated(a, 32) + d) & _ALL, (c + b) & _ALL
        b, d = _rotated(b, 47) ^ c, _rotated(d, 43) ^ a
        c = _rotated(c, 32)
    return a, b, c, d
