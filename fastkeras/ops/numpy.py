"""The functions of fastkeras.ops that numpy has too, as Keras groups them."""

# ruff: noqa: F401, F403 (this module is its parts' names)

from fastkeras.core.tensor import (
    absolute,
    add,
    divide,
    floor_divide,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    matmul,
    mod,
    multiply,
    negative,
    power,
    subtract,
    where,
)
from fastkeras.ops.elementwise import *
from fastkeras.ops.indexing import *
from fastkeras.ops.making import *
from fastkeras.ops.products import *
from fastkeras.ops.reductions import *
from fastkeras.ops.shapes import *
from fastkeras.ops.statistics import *

abs, true_divide = absolute, divide
