"""MultiHeadAttention: attention of several heads, each to projections of its own.

What is masked has no weight. A query that may attend to nothing at all attends to all values alike; with dropout, or
where the scores are returned, to none. So Keras has it.
"""

import math

import numpy as np

from fastkeras import activations, regularizers
from fastkeras._kernels import attention as kernel
from fastkeras._kernels import dense as dense_kernel
from fastkeras._kernels.gemm import gemm
from fastkeras.core.rows import Rows, dense, flat, like
from fastkeras.layers.arguments import inputs_by_name
from fastkeras.layers.attention import booleans, differ, for_kernel, tensor_of, wrong
from fastkeras.layers.layer import Layer
from fastkeras.layers.penalties import with_penalty
from fastkeras.layers.regularization import checked_rate, dropout_mask
from fastkeras.random_state import SeedGenerator
from fastkeras.utils.arguments import integers, positive_integer

_LINEAR = activations.get("linear").kernel


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
    that which the query carries, which is also that of the output (query_mask counts for nothing, as in Keras 3);
    attention_mask (B, T, S), also without B or with heads, (B, num_heads, T, S); use_causal_mask, s <= t;
    sliding_window, |s - t| < sliding_window. (Keras 3 takes the masks off the inputs, so that layers called on them
    later find none; here they stay, as in Keras 2.)

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
        keywords = {name: tensor_of(self, name, given) for name, given in tensors.items()}
        keywords.update(return_attention_scores=return_attention_scores, use_causal_mask=use_causal_mask)
        if query is None or value is None:
            raise wrong(self, "a query and a value", "query=None" if query is None else "value=None")
        return self.call_with([tensor_of(self, "query", query)], keywords, training)

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
        if not len(query) == len(value) == len(key) == 3 or None in sizes or differ(value[1], key[1]):
            expected = "a query (batch, T, D), a value (batch, S, E) and a key (batch, S, F)"
            raise wrong(self, expected, f"shapes {input_shape}")
        if self.built and sizes != [p.kernel.shape[0] for p in (self.query_dense, self.value_dense, self.key_dense)]:
            raise wrong(self, "the features that it was built for", f"shapes {input_shape}")

    def build(self, input_shape, value_shape=None, key_shape=None):
        """input_shape: the three inputs' shapes, or as in Keras 3 the query's, followed by the others'."""
        if value_shape is not None:
            input_shape = [input_shape, value_shape, key_shape or value_shape]
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
        mask, causal = for_kernel(mask, (B, H, T, S)), "use_causal_mask" in told
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
        of_query = booleans(of_query[0])
        of_value = booleans(told.get("value_mask", of_others["value"]))
        of_key = booleans(told.get("key_mask", of_others.get("key")))
        pairs = booleans(told.get("attention_mask"))
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
