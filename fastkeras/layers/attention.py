"""Attention and AdditiveAttention: means of values, weighted by how well queries suit their keys.

What is masked has no weight. A query that may attend to nothing at all attends to all values alike, as in Keras.
"""

import numpy as np

from fastkeras._kernels import attention as kernel
from fastkeras.core.rows import dense
from fastkeras.core.tensor import SymbolicTensor, Watchable
from fastkeras.layers.arguments import inputs_by_name
from fastkeras.layers.layer import Layer
from fastkeras.layers.regularization import checked_rate, dropout_mask
from fastkeras.random_state import SeedGenerator
from fastkeras.utils.arrays import to_array
from fastkeras.utils.messages import message, names_of


def tensor_of(layer, name, given):
    """What was given in a call as a symbolic tensor, an array, or None."""
    known = given is None or isinstance(given, (SymbolicTensor, np.ndarray, Watchable))
    return given if known else to_array(name, given, who=message("in_layer", **names_of(layer)))


def booleans(mask):
    """A mask as the user or another layer gave it, as booleans, or None."""
    return None if mask is None else np.asarray(mask) != 0


def for_kernel(mask, shape):
    """A mask, or None, as the kernel takes it: of the whole shape, but stored once where it is the same along an axis,
    the last one excepted."""
    if mask is None:
        return None
    mask = np.broadcast_to(mask, (*mask.shape[:-1], shape[-1]))
    return np.broadcast_to(np.ascontiguousarray(mask), shape)


def wrong(layer, expected, received):
    return ValueError(f"Layer '{layer.name}' ({type(layer).__name__}): expected {expected}. Received: {received}")


def differ(a, b):
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
            raise wrong(self, "a list, [query, value] or [query, value, key]", inputs)
        if mask is not None and (not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3)):
            raise wrong(self, "a list of masks, [query's, value's]", f"mask={mask}")
        keywords = {
            "mask": None if mask is None else [tensor_of(self, "mask", item) for item in mask],
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
        if not len(query) == len(value) == len(key) == 3 or query[2] != key[2] or differ(value[1], key[1]):
            expected = "a query (batch, T, D), a value (batch, S, V) and a key (batch, S, D)"
            raise wrong(self, expected, f"shapes {input_shape}")

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
        of_query, of_value = (booleans(mask) for mask in told.get("mask", run.masks or (None, None))[:2])
        B, T, S = len(q), q.shape[1], v.shape[1]
        m = None
        if run.training and self.dropout:
            m = dropout_mask(run, "dropped", (B, T, S), self.dropout, self.seed_generator)
        mask = for_kernel(None if of_value is None else of_value[:, None, None, :], (B, 1, T, S))
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
