"""What a batch holds: x, (x, y) or (x, y, sample_weight)."""

from fastkeras.utils.messages import message


def unpack_x_y_sample_weight(data):
    """(x, y, sample_weight) of a batch; None for what it does not hold."""
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(message("parts_of_a_batch", received=len(data)))
    return (*data, None, None)[:3]


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """The batch: x alone if there is no y (in a tuple if x is several), else (x, y) or (x, y, sample_weight)."""
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
