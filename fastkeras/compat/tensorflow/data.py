"""tf.data, for data in memory, from Python and from lines of files."""

from fastkeras.utils.dataset import (
    AUTOTUNE,
    INFINITE_CARDINALITY,
    UNKNOWN_CARDINALITY,
    Dataset,
    TextLineDataset,
    cardinality,
)

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "TextLineDataset", "cardinality"]
