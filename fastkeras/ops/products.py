"""Products over axes: dot, tensordot, inner, outer, cross and einsum; matmul is in core/tensor.py."""

import math
import string

import numpy as np

from fastkeras.core.tensor import broadcast_to, made, matmul, multiply, operation, reshape, transpose, value
from fastkeras.ops.shapes import expand_dims

__all__ = ["dot", "einsum", "inner", "outer", "tensordot", "vdot"]


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
