"""Products over axes: dot, tensordot, inner, outer, kron, cross and einsum; matmul is in core/tensor.py."""

import math
import string

import numpy as np

from fastkeras.core.tensor import (
    broadcast_to,
    made,
    matmul,
    multiply,
    operation,
    reshape,
    sum_over,
    transpose,
    value,
    where,
)
from fastkeras.ops.elementwise import sqrt, square
from fastkeras.ops.shapes import expand_dims, moveaxis, roll, stack

__all__ = ["cdist", "cross", "dot", "einsum", "inner", "kron", "outer", "tensordot", "vander", "vdot"]


@operation
def dot(x1, x2):
    """The sum over the last axis of x1 and the last but one (or the only one) of x2."""
    if np.ndim(value(x1)) == 0 or np.ndim(value(x2)) == 0:
        return multiply(x1, x2)
    if np.ndim(value(x1)) <= 2 and np.ndim(value(x2)) <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, ([-1], [-1 if np.ndim(value(x2)) == 1 else -2]))


@operation
def vdot(x1, x2):
    """The sum of all products x1 x2."""
    return dot(reshape(x1, (-1,)), reshape(x2, (-1,)))


@operation
def inner(x1, x2):
    """The sum over the last axes of both."""
    if np.ndim(value(x1)) == 0 or np.ndim(value(x2)) == 0:
        return multiply(x1, x2)
    return tensordot(x1, x2, ([-1], [-1]))


@operation
def outer(x1, x2):
    """All products of an element of x1 and one of x2: (n, m)"""
    return reshape(x1, (-1, 1)) * reshape(x2, (1, -1))


@operation
def kron(x1, x2):
    """Kronecker's product: each element of x1 replaced by itself times x2."""
    rank = max(np.ndim(value(x1)), np.ndim(value(x2)))
    outer, inner = ((1,) * (rank - np.ndim(value(x))) + np.shape(x) for x in (x1, x2))
    blocks = reshape(x1, [n for extent in outer for n in (extent, 1)])
    elements = reshape(x2, [n for extent in inner for n in (1, extent)])
    return reshape(blocks * elements, [n * m for n, m in zip(outer, inner, strict=True)])


@operation
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vectors of length |x1| |x2| sin(their angle) that stand upright on x1 and x2, vectors of 3 numbers.

    axisa, axisb, axisc: where x1, x2 and the result have them, or `axis` for all.
    """
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"ops.cross: expected vectors of 3 numbers. Received: shapes {np.shape(x1)}, {np.shape(x2)}")
    y = roll(a, -1, -1) * roll(b, 1, -1) - roll(a, 1, -1) * roll(b, -1, -1)  # a2 b3 - a3 b2, and so round
    return moveaxis(y, -1, axisc)


@operation
def cdist(x, y):
    """The distances of the vectors x (..., m, d) from the vectors y (..., n, d): (..., m, n)

    Where one is 0, so is its gradient.
    """
    if min(np.ndim(value(x)), np.ndim(value(y))) < 2 or np.shape(x)[-1] != np.shape(y)[-1]:
        raise ValueError(
            f"ops.cdist: expected tensors (..., m, d) and (..., n, d). Received: shapes {np.shape(x)} and {np.shape(y)}"
        )
    squares = sum_over(square(expand_dims(x, -2) - expand_dims(y, -3)), -1)
    apart = value(squares) > 0
    return sqrt(where(apart, squares, 1)) * apart


@operation
def vander(x, N=None, increasing=False):
    """The powers x^(N-1) ... x^0 of each number in a row, or from x^0 on. N: by default how many numbers there are."""
    powers = [np.ones_like(value(x))]
    for _ in range(1, np.shape(x)[0] if N is None else N):
        powers.append(multiply(x, powers[-1]))
    return stack(powers if increasing else powers[::-1], axis=-1)


@operation
def tensordot(x1, x2, axes=2):
    """The sum over pairs of axes: the last so many of x1 with the first of x2, or axes = ([of x1], [of x2])."""
    n1, n2 = np.ndim(value(x1)), np.ndim(value(x2))
    if isinstance(axes, (int, np.integer)):
        axes = range(n1 - axes, n1), range(axes)
    summed1, summed2 = (
        [a % n for a in ([given] if isinstance(given, (int, np.integer)) else given)]
        for given, n in zip(axes, (n1, n2), strict=True)
    )
    kept1, kept2 = ([a for a in range(n) if a not in gone] for n, gone in ((n1, summed1), (n2, summed2)))
    first, second = transpose(x1, (*kept1, *summed1)), transpose(x2, (*summed2, *kept2))
    rows, columns = first.shape[: len(kept1)], second.shape[len(summed2) :]
    product = matmul(
        reshape(first, (math.prod(rows), math.prod(first.shape[len(kept1) :]))),
        reshape(second, (math.prod(second.shape[: len(summed2)]), math.prod(columns))),
    )
    return reshape(product, (*rows, *columns))


@operation
def einsum(subscripts, *operands):
    """Einstein's sum, as numpy.einsum writes it: "ij,jk->ik" is a matrix product.

    An axis has one letter or is in "..."; a letter may not come twice in one operand.
    """
    terms, wanted = _explicit(subscripts, [np.ndim(value(x)) for x in operands])
    extents = {}
    for term, x in zip(terms, operands, strict=True):
        if len(set(term)) < len(term):
            raise ValueError(f"ops.einsum: a letter may not come twice in one operand. Received: {subscripts!r}")
        for letter, n in zip(term, np.shape(value(x)), strict=True):
            extents[letter] = max(n, extents.get(letter, 1))

    def gradient(i):
        def back(d, y):  # the other operands and d, summed over what operand i lacks
            others = terms[:i] + terms[i + 1 :] + [wanted]
            found = "".join(letter for letter in terms[i] if any(letter in term for term in others))
            d = einsum(f"{','.join(others)}->{found}", *operands[:i], *operands[i + 1 :], d)
            alone = [a for a, letter in enumerate(terms[i]) if letter not in found]  # summed by itself
            return broadcast_to(expand_dims(d, alone), [extents[letter] for letter in terms[i]])

        return back

    y = np.einsum(f"{','.join(terms)}->{wanted}", *map(value, operands), optimize=len(operands) > 1)
    return made(y, *((x, gradient(i)) for i, x in enumerate(operands)))


def _explicit(subscripts, ranks):
    """(the letters of each operand, those of the result), with letters in place of "..."."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"ops.einsum: {subscripts!r} is for {len(terms)} operands. Received: {len(ranks)}")
    free = [letter for letter in string.ascii_letters if letter not in subscripts]
    longest = max((rank - len(t) + 3 for t, rank in zip(terms, ranks, strict=True) if "..." in t), default=0)
    dots = "".join(free[:longest])

    def filled(term, rank):
        count = rank - len(term) + 3
        return term.replace("...", dots[longest - count :] if count else "")

    terms = [filled(t, rank) if "..." in t else t for t, rank in zip(terms, ranks, strict=True)]
    if not arrow:
        letters = "".join(terms)
        right = dots + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in dots))
    return terms, right.replace("...", dots)
