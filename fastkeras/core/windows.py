"""Windows that move over an axis of n places: how many there are, and what must be added where they begin and end."""


def output_extent(n, window, stride, padding):
    """How many windows there are on an axis of n places (None: not known)."""
    if n is None:
        return None
    return -(-n // stride) if padding != "valid" else max(0, (n - window) // stride + 1)


def borders(n, window, stride, padding):
    """The places to add before and after an axis of n: for "same" as evenly as they go, the odd one at the end; for
    "causal" all before, so that no window looks ahead."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return window - 1, 0
    missing = max(0, (output_extent(n, window, stride, padding) - 1) * stride + window - n)
    return missing // 2, missing - missing // 2


def transposed_extent(n, window, stride, padding, extra):
    """How many places there are, on an axis, for n of the input (None: not known). extra: output_padding, or None."""
    if n is None:
        return None
    if extra is None:
        return n * stride if padding == "same" else (n - 1) * stride + max(window, stride)
    return (n - 1) * stride + (window % 2 if padding == "same" else window) + extra
