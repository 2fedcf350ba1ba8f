"""The mathematics of the whole library, as its equations stand, in float64 numpy: the specification.

Each operation is a function, and its gradient the function of the same name with `_backward`. The kernels are
held to these, and these to central differences (tests/test_reference.py). Clarity comes first, speed nowhere.
"""

# ruff: noqa: F403

from reference.activations import *
from reference.attention import *
from reference.convolution import *
from reference.crf import *
from reference.ctc import *
from reference.layers import *
from reference.losses import *
from reference.merging import *
from reference.normalization import *
from reference.optimizers import *
from reference.random import *
from reference.recurrent import *
from reference.weights import *
