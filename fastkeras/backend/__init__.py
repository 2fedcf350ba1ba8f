"""Keras 2's backend, as scripts import it: from keras import backend as K.

Each function is one of fastkeras.ops under its old name and with its old arguments, gradients included; new scripts
use fastkeras.ops. Tensors are computed at once: there is no graph of symbols to feed and run, only `function`, which
runs part of a model.
"""

# ruff: noqa: F401 (its names are those of other modules)

from fastkeras.backend.arithmetic import (
    argmax,
    argmin,
    batch_dot,
    bias_add,
    binary_crossentropy,
    categorical_crossentropy,
    clip,
    ctc_batch_cost,
    ctc_decode,
    cumprod,
    cumsum,
    dot,
    dropout,
    hard_sigmoid,
    in_top_k,
    l2_normalize,
    relu,
)
from fastkeras.backend.control import foldl, foldr, function, gradients, rnn, switch
from fastkeras.backend.settings import (
    backend,
    clear_session,
    get_uid,
    image_dim_ordering,
    in_test_phase,
    in_train_phase,
    learning_phase,
    name_scope,
    reset_uids,
    set_image_dim_ordering,
    set_learning_phase,
)
from fastkeras.backend.shapes import (
    batch_flatten,
    concatenate,
    expand_dims,
    flatten,
    gather,
    permute_dimensions,
    repeat,
    repeat_elements,
    reverse,
    spatial_2d_padding,
    temporal_padding,
)
from fastkeras.backend.tensors import (
    arange,
    cast_to_floatx,
    constant,
    count_params,
    dtype,
    identity,
    int_shape,
    is_keras_tensor,
    is_sparse,
    placeholder,
    print_tensor,
    random_bernoulli,
    random_binomial,
    to_dense,
)
from fastkeras.backend.variables import (
    batch_get_value,
    batch_set_value,
    eval,
    get_value,
    moving_average_update,
    ones,
    random_normal_variable,
    random_uniform_variable,
    set_value,
    update,
    update_add,
    update_sub,
    variable,
    zeros,
)
from fastkeras.backend.windows import conv1d, conv2d, conv2d_transpose, depthwise_conv2d, pool2d
from fastkeras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from fastkeras.ops import (
    abs,
    all,
    any,
    cast,
    cos,
    elu,
    equal,
    exp,
    eye,
    greater,
    greater_equal,
    is_tensor,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    not_equal,
    one_hot,
    ones_like,
    prod,
    reshape,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    stop_gradient,
    sum,
    tanh,
    tile,
    transpose,
    var,
    zeros_like,
)
from fastkeras.ops import map as map_fn
from fastkeras.ops import power as pow
from fastkeras.random import normal as random_normal
from fastkeras.random import truncated_normal
from fastkeras.random import uniform as random_uniform
from fastkeras.utils import suggest


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.backend", name, globals()))
