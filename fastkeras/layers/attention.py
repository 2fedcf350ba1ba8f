"""Attention, AdditiveAttention and MultiHeadAttention: means of values, weighted by how well queries suit their keys.

What is masked has no weight. A query that may attend to nothing at all attends to all values alike; in a
MultiHeadAttention with dropout, or that returns its scores, to none. So Keras has it.
"""

import math

import numpy as np

from fastkeras import activations, regularizers
from fastkeras._kernels import attention as kernel
from fastkeras._kernels import dense as dense_kernel
from fastkeras._kernels.gemm import gemm
from fastkeras.core.rows import Rows, dense, flat, like
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.layers.arguments import inputs_by_name
from fastkeras.layers.layer import Layer
from fastkeras.layers.penalties import with_penalty
from fastkeras.layers.regularization import checked_rate, dropout_mask
from fastkeras.random_state import SeedGenerator
from fastkeras.utils.arguments import integers, positive_integer
from fastkeras.utils.arrays import to_array
from fastkeras.utils.messages import message, names_of

_LINEAR = activations.get("linear").kernel


def _tensor(layer, name, given):
    """What was given in a call as a symbolic tensor, an array, or None."""
    known = given is None or isinstance(given, (SymbolicTensor, np.ndarray))
    return given if known else to_array(name, given, who=message("in_layer", **names_of(layer)))


def _booleans(mask):
    """A mask as the user or another layer gave it, as booleans, or None."""
    return None if mask is None else np.asarray(mask) != 0


def _for_kernel(mask, shape):
    """A mask, or None, as the kernel takes it: of the whole shape, but stored once where it is the same along an axis,
    the last one excepted."""
    if mask is None:
        return None
    mask = np.broadcast_to(mask, (*mask.shape[:-1], shape[-1]))
    return np.broadcast_to(np.ascontiguousarray(mask), shape)


def _wrong(layer, expected, received):
    return ValueError(f"Layer '{layer.name}' ({type(layer).__name__}): expected {expected}. Received: {received}")


def _differ(a, b):
    """Whether two extents, None where they are not known, differ for sure."""
    return None not in (a, b) and a != b


class Attention(Layer):
    """y_t = sum_s P_ts v_s, where P_t is the softmax over s of the scores of query t and key s (Luong et al. 2015).

    Called on [query, value] or [query, value, key]: (B, T, D), (B, S, V), (B, S, D); without a key the values are the
    keys. Gives y (B, T, V), and with return_attention_scores P (B, T, S) as well.

    score_mode "dot": query . key, times the weight `scale` if use_scale. "concat": the weight `concat_score_weight`
    times the sum over D of tanh(scale (query + key)). dropout: the rate at which P loses elements in training.

    Masked values are not attended to; y is zero at masked queries, whose mask is also that of y. mask in a call, [the
    query's, the value's], replaces what comes with the inputs. use_causal_mask: query t attends to s <= t alone.
    """

    takes_several = True
    call_keywords = ("mask", "return_attention_scores", "use_causal_mask")

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"Attention: `score_mode` must be 'dot' or 'concat'. Received: score_mode={score_mode!r}")
        self.use_scale = bool(use_scale)
        self.score_mode = score_mode
        self.dropout = checked_rate(type(self).__name__, "dropout", dropout)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    # --- calls, shapes and weights -----------------------------------------------------------------------------------

    def __call__(self, inputs, mask=None, training=None, return_attention_scores=False, use_causal_mask=False):
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            raise _wrong(self, "a list, [query, value] or [query, value, key]", inputs)
        if mask is not None and (not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3)):
            raise _wrong(self, "a list of masks, [query's, value's]", f"mask={mask}")
        keywords = {
            "mask": None if mask is None else [_tensor(self, "mask", item) for item in mask],
            "return_attention_scores": return_attention_scores,
            "use_causal_mask": use_causal_mask,
        }
        return self.call_with(inputs, keywords, training)

    def _prepare(self, shapes, keywords=None):
        shapes, told = inputs_by_name(shapes, keywords or {})
        y = super()._prepare(shapes)
        return [y, (*shapes[0][:-1], shapes[1][1])] if "return_attention_scores" in told else y

    def check_input_shape(self, input_shape):
        query, value, key = input_shape[0], input_shape[1], input_shape[-1]
        if not len(query) == len(value) == len(key) == 3 or query[2] != key[2] or _differ(value[1], key[1]):
            expected = "a query (batch, T, D), a value (batch, S, V) and a key (batch, S, D)"
            raise _wrong(self, expected, f"shapes {input_shape}")

    def build(self, input_shape):
        self.scale = self.add_weight("scale", (), "ones") if self.use_scale else None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight("concat_score_weight", (), "ones")

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_mask(self, x, mask=None):
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    # --- the pass ----------------------------------------------------------------------------------------------------

    def forward(self, x, run):
        given, told = inputs_by_name(x, run.keywords)
        (q, undo_q), (v, undo_v), *key = [dense(part, run, f"input_{i}") for i, part in enumerate(given)]
        k, undo_k = key[0] if key else (v, None)
        of_query, of_value = (_booleans(mask) for mask in told.get("mask", run.masks or (None, None))[:2])
        B, T, S = len(q), q.shape[1], v.shape[1]
        m = None
        if run.training and self.dropout:
            m = dropout_mask(run, "dropped", (B, T, S), self.dropout, self.seed_generator)
        mask = _for_kernel(None if of_value is None else of_value[:, None, None, :], (B, 1, T, S))
        causal, gives_scores = "use_causal_mask" in told, "return_attention_scores" in told
        compared, compare_backward = self.compare(q, k, run)
        attend = kernel.Attention(*compared[:2], v, 1, 1.0, compared[2], mask, m, causal, uniform=True)
        y, P = run.buffer("y", (B, T, v.shape[2])), run.buffer("P", (B, T, S)) if gives_scores else None
        attend.forward(y, P)
        if gives_scores and m is not None:
            P *= m
        if of_query is not None:
            y *= of_query[..., None]
        run.output_masks = [of_query, None] if gives_scores else [of_query]

        def backward(dy):
            dy, dP = dy if gives_scores else (dy, None)
            dy = np.zeros_like(y) if dy is None else dy if of_query is None else dy * of_query[..., None]
            dP = dP if dP is None or m is None else dP * m
            dv = run.buffer("dv", v.shape)
            slopes = [a if a is None else run.buffer(f"d{i}", a.shape) for i, a in enumerate(compared)]
            attend.backward(*slopes[:2], dv, slopes[2], dy, dP)
            dq, dk = compare_backward(*slopes)
            if not key:
                dv += dk
            return [undo_q(dq), undo_v(dv), *([undo_k(dk)] if key else []), *[None] * (len(x) - len(given))]

        return ([y, P] if gives_scores else y), backward

    def compare(self, q, k, run):
        """What the kernel compares, (queries, keys, None) or (None, None, scores), and the way back from its gradient:
        backward(dqueries, dkeys, dscores) -> (dq, dk)."""
        if not self.use_scale and self.score_mode == "dot":
            return (q, k, None), lambda dq, dk, _: (dq, dk)
        scale = self.scale.value if self.use_scale else np.float32(1.0)

        def dot_backward(dq, dk, _):
            if run.trains:
                self.scale.grad += (dq * q).sum()
            return scale * dq, dk

        if self.score_mode == "dot":
            return (scale * q, k, None), dot_backward
        weight = self.concat_score_weight
        compared, additive_backward = _additive(
            scale * q, scale * k, np.full(q.shape[2], weight.value, np.float32), run
        )

        def concat_backward(*slopes):
            dq, dk, dw = additive_backward(*slopes)
            if run.trains:
                weight.grad += dw.sum()
                if self.use_scale:
                    self.scale.grad += (dq * q).sum() + (dk * k).sum()
            return scale * dq, scale * dk

        return compared, concat_backward

    def get_config(self):
        config = {**super().get_config(), "use_scale": self.use_scale, "score_mode": self.score_mode}
        config["dropout"] = self.dropout
        return config if self.seed is None else {**config, "seed": self.seed}  # Keras 2 does not take it


def _additive(q, k, w, run):
    """`compare` for x_ts = sum_d w_d tanh(q_td + k_sd), w (D) or None; its way back gives dw as well."""
    x = run.buffer("scores", (len(q), q.shape[1], k.shape[1]))
    kernel.additive_scores(x, q, k, w)

    def backward(_q, _k, dx):
        dq, dk, dw = run.buffer("dq", q.shape), run.buffer("dk", k.shape), np.zeros(q.shape[2], np.float32)
        kernel.additive_scores_backward(dq, dk, dw, dx, q, k, w)
        return dq, dk, dw

    return (None, None, x), backward


class AdditiveAttention(Attention):
    """Attention whose scores are sum_d scale_d tanh(query_d + key_d) (Bahdanau, Cho and Bengio 2015).

    scale: a weight (D,), or ones if not use_scale. Otherwise as Attention, without its score_mode.
    """

    def __init__(self, use_scale=True, dropout=0.0, seed=None, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, seed=seed, **kwargs)

    def build(self, input_shape):
        self.scale = self.add_weight("scale", (input_shape[0][-1],)) if self.use_scale else None

    def compare(self, q, k, run):
        compared, additive_backward = _additive(q, k, self.scale.value if self.use_scale else None, run)

        def backward(*slopes):
            dq, dk, dscale = additive_backward(*slopes)
            if self.use_scale and run.trains:
                self.scale.grad += dscale
            return dq, dk

        return compared, backward

    def get_config(self):
        config = super().get_config()
        del config["score_mode"]
        return config


class Projection(Layer):
    """y = x W + b, one of a MultiHeadAttention's: W (*taken, *given), b (*given), the axes of either flat in x and y.

    It takes what can be said about weights from its owner.
    """

    def __init__(self, name, taken, given, owner):
        super().__init__(name=name, activity_regularizer=owner.projections_regularizer)
        self.taken, self.given, self.use_bias = taken, given, owner.use_bias
        self.keep_options("kernel", owner.kernel_initializer, owner.kernel_regularizer, owner.kernel_constraint)
        self.keep_options("bias", owner.bias_initializer, owner.bias_regularizer, owner.bias_constraint)

    def build(self, input_shape):
        self.kernel = self.add_weight_as_told("kernel", (*self.taken, *self.given))
        self.bias = self.add_weight_as_told("bias", self.given) if self.use_bias else None

    def forward(self, x, run):
        """(y, backward), where backward(dy, dx, add) writes the gradient of x into dx, or adds it, unless dx is None"""
        rows, shape = flat(x), (math.prod(self.taken), math.prod(self.given))
        W = self.kernel.value.reshape(shape)
        b = self.bias.value.reshape(-1) if self.use_bias else None
        z = run.buffer("y", (len(rows), shape[1]))
        dense_kernel.forward(z, None, rows, W, b, _LINEAR)
        y, penalise = like(x, z), None
        if self.activity_regularizer is not None:
            y, penalise = with_penalty(self, y, lambda dy: dy, run)

        def backward(dy, dx, add):
            dz = (dy if penalise is None else penalise(dy)).reshape(z.shape)
            if dx is not None:
                gemm(dx.reshape(rows.shape), dz, W, trans_b=True, accumulate=add)  # dx = dz W^T
            if run.trains:
                gemm(self.kernel.grad.reshape(shape), rows, dz, trans_a=True, accumulate=True)  # dW += x^T dz
                if self.use_bias:
                    dense_kernel.add_column_sums(self.bias.grad.reshape(-1), dz)

        return y, backward


class MultiHeadAttention(Layer):
    """Attention of several heads, each to projections of its own (Vaswani et al. 2017, "Attention is all you need").

        q, k, v = projections of query, key, value      y_t = sum_s softmax_s(q_t . k_s / sqrt(key_dim)) v_s, by head
        output = projection of y, its heads side by side

    Called with query (B, T, D), value (B, S, E) and, if it is not the value, key (B, S, F). Gives (B, T, D), or (B, T,
    *output_shape), and with return_attention_scores the weights (B, num_heads, T, S) as well.

    A query attends where all of these allow: the masks of value and key, value_mask and key_mask in a call if given;
    that of the query, which is also that of the output; attention_mask (B, T, S), also without B or with heads, (B,
    num_heads, T, S); use_causal_mask, s <= t; sliding_window, |s - t| < sliding_window. (Keras 3 takes the masks off
    the inputs, so that layers called on them later find none; here they stay, as in Keras 2.)

    Arguments: num_heads, key_dim, value_dim (by default key_dim), dropout (of the weights, in training), use_bias,
    output_shape, attention_axes (None or the steps' axis, 1), sliding_window, flash_attention (accepted: the weights
    are never whole in memory anyway), initializers, regularizers and constraints of all kernels and biases,
    activity_regularizer (of each projection), seed.
    """

    inputs_apart = takes_several = True
    never_read = ("query_shape", "key_shape", "value_shape")
    call_keywords = (
        "value",
        "key",
        "query_mask",
        "value_mask",
        "key_mask",
        "attention_mask",
        "return_attention_scores",
        "use_causal_mask",
    )

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        kind = "MultiHeadAttention"
        self.num_heads = positive_integer(kind, "num_heads", num_heads)
        self.key_dim = positive_integer(kind, "key_dim", key_dim)
        self.value_dim = positive_integer(kind, "value_dim", value_dim or key_dim)
        self.dropout = checked_rate(kind, "dropout", dropout)
        self.use_bias = bool(use_bias)
        axes = () if output_shape is None else integers(kind, "output_shape", output_shape)
        self.output_axes = tuple(positive_integer(kind, "output_shape", n) for n in axes)
        if attention_axes is not None and integers(kind, "attention_axes", attention_axes) not in ((1,), (-2,)):
            raise ValueError(
                f"{kind}: `attention_axes` must be None or (1,), the axis of steps. "
                f"Received: attention_axes={attention_axes!r}"
            )
        self.attention_axes = attention_axes
        self.sliding_window = sliding_window and positive_integer(kind, "sliding_window", sliding_window)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.projections_regularizer = regularizers.get(activity_regularizer)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.query_dense = self.key_dense = self.value_dense = self.output_dense = None

    def sublayers(self):
        return [self.query_dense, self.key_dense, self.value_dense, self.output_dense] if self.built else []

    # --- calls, shapes and weights -----------------------------------------------------------------------------------

    def __call__(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        tensors = {"value": value, "key": key, "query_mask": query_mask, "value_mask": value_mask}
        tensors.update(key_mask=key_mask, attention_mask=attention_mask)
        keywords = {name: _tensor(self, name, given) for name, given in tensors.items()}
        keywords.update(return_attention_scores=return_attention_scores, use_causal_mask=use_causal_mask)
        if query is None or value is None:
            raise _wrong(self, "a query and a value", "query=None" if query is None else "value=None")
        return self.call_with([_tensor(self, "query", query)], keywords, training)

    def _prepare(self, shapes, keywords=None):
        (query,), told = inputs_by_name(shapes, keywords)
        shapes = [query, told["value"], told.get("key", told["value"])]
        y = super()._prepare(shapes)
        if "return_attention_scores" in told:
            return [y, (query[0], self.num_heads, query[1], shapes[2][1])]
        return y

    def check_input_shape(self, input_shape):
        query, value, key = input_shape
        sizes = [shape[-1] for shape in input_shape if shape]
        if not len(query) == len(value) == len(key) == 3 or None in sizes or _differ(value[1], key[1]):
            expected = "a query (batch, T, D), a value (batch, S, E) and a key (batch, S, F)"
            raise _wrong(self, expected, f"shapes {input_shape}")
        if self.built and sizes != [p.kernel.shape[0] for p in (self.query_dense, self.value_dense, self.key_dense)]:
            raise _wrong(self, "the features that it was built for", f"shapes {input_shape}")

    def build(self, input_shape):
        query, value, key = (shape[-1] for shape in input_shape)
        H, K, V = self.num_heads, self.key_dim, self.value_dim
        self.query_dense = Projection("query", (query,), (H, K), self)
        self.key_dense = Projection("key", (key,), (H, K), self)
        self.value_dense = Projection("value", (value,), (H, V), self)
        self.output_dense = Projection("attention_output", (H, V), self.output_axes or (query,), self)
        self.attention_axes = (1,)
        self.built = True
        for projection in self.sublayers():
            self.build_inside(projection, None)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], *(self.output_axes or input_shape[0][-1:]))

    def compute_mask(self, x, mask=None):
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    # --- the pass ----------------------------------------------------------------------------------------------------

    def forward(self, x, run):
        (query,), told = inputs_by_name(x, run.keywords)
        value, key = told["value"], told.get("key", told["value"])
        B, T, S, H = query.shape[0], query.shape[1], value.shape[1], self.num_heads
        gives_scores = "return_attention_scores" in told
        projected = [
            self._project(layer, part, run)
            for layer, part in ((self.query_dense, query), (self.key_dense, key), (self.value_dense, value))
        ]
        q, k, v = (y for y, _ in projected)
        m = None
        if run.training and self.dropout:
            m = dropout_mask(run, "dropped", (B * H, T, S), self.dropout, self.seed_generator)
        of_query, mask = self._masks(told, *inputs_by_name(run.masks or [None] * len(x), run.keywords), T, S)
        mask, causal = _for_kernel(mask, (B, H, T, S)), "use_causal_mask" in told
        uniform = not (self.dropout or gives_scores)
        attend = kernel.Attention(q, k, v, H, self.key_dim**-0.5, None, mask, m, causal, uniform)
        heads = run.buffer("heads", (B, T, H * self.value_dim))
        P = run.buffer("P", (B * H, T, S)) if gives_scores else None
        attend.forward(heads, P)
        y, output_backward = self._project(self.output_dense, heads, run)
        run.output_masks = [of_query, None] if gives_scores else [of_query]

        def backward(dy):
            dy, dP = dy if gives_scores else (dy, None)
            dheads = run.buffer("dheads", heads.shape)
            output_backward(np.zeros_like(y) if dy is None else dy, dheads, False)
            slopes = [run.buffer(f"d{name}", part.shape) for name, part in (("q", q), ("k", k), ("v", v))]
            attend.backward(*slopes, None, dheads, None if dP is None else dP.reshape(B * H, T, S))
            dx = [None] * len(x)
            for part, slope, (_, project_backward) in zip((query, key, value), slopes, projected, strict=True):
                number = next(i for i, one in enumerate(x) if one is part)  # the first, if one tensor is several inputs
                begun = dx[number] is not None
                if run.wants_dx and not begun:
                    dx[number] = run.buffer(f"dx_{number}", (flat(part) if type(part) is Rows else part).shape)
                project_backward(slope, dx[number], begun)
            return dx

        y = y.reshape(B, T, *(self.output_axes or y.shape[2:]))
        return ([y, P.reshape(B, H, T, S)] if gives_scores else y), backward

    def _project(self, layer, x, run):
        """(y as a plain array (B, T, ...), backward) of one of the projections"""
        inner = run.inside(layer, layer.name)
        y, project_backward = layer.forward(x, inner)
        y, undo = dense(y, inner)
        return y, lambda dy, dx, add: project_backward(undo(dy), dx, add)

    def _masks(self, told, of_query, of_others, T, S):
        """(the query's mask, where it may attend: (B or 1, H or 1, T or 1, S or 1) bool), each None if there is none

        told: the call's keywords; [of_query] and of_others: the masks that came with its inputs.
        """
        of_query = _booleans(told.get("query_mask", of_query[0]))
        of_value = _booleans(told.get("value_mask", of_others["value"]))
        of_key = _booleans(told.get("key_mask", of_others.get("key")))
        pairs = _booleans(told.get("attention_mask"))
        parts = [] if pairs is None else [pairs.reshape(*pairs.shape[:-2], *[1] * (4 - pairs.ndim), *pairs.shape[-2:])]
        parts += [] if of_query is None else [of_query[:, None, :, None]]
        parts += [mask[:, None, None, :] for mask in (of_value, of_key) if mask is not None]
        if self.sliding_window:
            parts.append((abs(np.arange(T)[:, None] - np.arange(S)) < self.sliding_window)[None, None])
        allowed = None
        for part in parts:
            allowed = part if allowed is None else allowed & part
        return of_query, allowed

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "output_shape": self.output_axes or None,
            "attention_axes": self.attention_axes,
            "sliding_window": self.sliding_window,
            **self.options_config("kernel", "bias"),
            "activity_regularizer": regularizers.serialize(self.projections_regularizer),
            "seed": self.seed,
        }
