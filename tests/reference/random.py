"""Random numbers: Philox4x32-10, dropout and normal numbers from them."""

import numpy as np


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


def random_normal(n, key, counter):
    """n normal numbers, n being a multiple of 128: two from each two words of a tile"""
    words = np.array([random_word(i, key, counter) for i in range(n)]).reshape(-1, 2, 64)
    u, t = (words[:, 0] // 2**8 + 1) / 2**24, words[:, 1] / 2**32
    r = np.sqrt(-2 * np.log(u))
    return np.stack([r * np.cos(2 * np.pi * t), r * np.sin(2 * np.pi * t)], axis=1).reshape(-1)
