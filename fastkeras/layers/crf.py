"""CRF: tags that depend on each other, at the end of a model that tags sequences."""

import numpy as np

from fastkeras import activations
from fastkeras._kernels import crf as kernel
from fastkeras._kernels import dense as dense_kernel
from fastkeras.core.rows import Rows, dense, flat, like
from fastkeras.layers.layer import Layer
from fastkeras.losses.crf import CRFLoss
from fastkeras.utils.arguments import positive_integer

_LINEAR = activations.get("linear").kernel


class Decoding:
    """What stands for the CRF's activation: the step from scores to tags, which the loss leaves out.

    trains: whether the loss adds to the gradients of the layer's weights.
    """

    name = "crf"

    def __init__(self, layer, trains=True):
        self.layer, self.trains = layer, trains


class CRF(Layer):
    """A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) over the `units` tags of each step.

        z_t = x_t kernel + bias
        score(y) = left_boundary[y_1] + sum_t z_t[y_t] + sum_t>1 chain_kernel[y_t-1, y_t] + right_boundary[y_T]

    x: (B, T, D). Masked steps do not exist for it, be they in front, behind or between. Predictions are (B, T, units),
    one-hot: the tags of the largest score (Viterbi), of equal ones the smaller; tag 0 at masked steps.

        crf = CRF(units)
        model.add(crf)
        model.compile("adam", loss=crf.loss, metrics=["accuracy"])      # or loss="crf"; accuracy is that of the tags

    It is the last layer, and is trained with its own loss, the mean over samples of -log p(y | x) (losses.CRFLoss); y
    is (B, T), or one-hot.

    Arguments: units; use_kernel (without, x are the scores: D = units); use_boundary; use_bias; initializers,
    regularizers and constraints: kernel_..., bias_..., chain_..., boundary_...
    """

    supports_masking = True
    can_give_logits = True

    def __init__(
        self,
        units,
        chain_initializer="orthogonal",
        chain_regularizer=None,
        chain_constraint=None,
        use_boundary=True,
        boundary_initializer="zeros",
        boundary_regularizer=None,
        boundary_constraint=None,
        use_kernel=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        use_bias=True,
        bias_initializer="zeros",
        bias_regularizer=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = positive_integer("CRF", "units", units)
        self.use_boundary, self.use_kernel, self.use_bias = bool(use_boundary), bool(use_kernel), bool(use_bias)
        self.keep_options("chain", chain_initializer, chain_regularizer, chain_constraint)
        self.keep_options("boundary", boundary_initializer, boundary_regularizer, boundary_constraint)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.activation = Decoding(self)

    @property
    def loss(self):
        """The loss to compile a model with."""
        return CRFLoss()

    def check_input_shape(self, input_shape):
        wanted = None if self.use_kernel and not self.built else self.units
        if self.built and self.use_kernel:
            wanted = self.kernel.shape[0]
        if len(input_shape) != 3 or input_shape[2] is None or (wanted and input_shape[2] != wanted):
            raise ValueError(
                f"Layer '{self.name}' (CRF): expected an input of shape (batch, steps, {wanted or 'features'}). "
                f"Received: shape {tuple(input_shape)}"
            )

    def build(self, input_shape):
        C = self.units
        if self.use_kernel:
            self.kernel = self.add_weight_as_told("kernel", (input_shape[-1], C))
            self.bias = self.add_weight_as_told("bias", (C,)) if self.use_bias else None
        self.chain_kernel = self.add_weight_as_told("chain_kernel", (C, C), "chain")
        self.left_boundary = self.right_boundary = None
        if self.use_boundary:
            self.left_boundary = self.add_weight_as_told("left_boundary", (C,), "boundary")
            self.right_boundary = self.add_weight_as_told("right_boundary", (C,), "boundary")

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def transitions(self):
        """The weights that the loss needs: of pairs, and of the ends, None if there are none"""
        return self.chain_kernel, self.left_boundary, self.right_boundary

    def decode(self, y, x, mask):
        """y (..., units) = the best tags, one-hot, by the scores x (B, T, units)"""
        tags = np.empty(x.shape[:2], np.int32)
        kernel.decode(tags, x, *(None if v is None else v.value for v in self.transitions()), mask)
        y.fill(0.0)
        np.put_along_axis(y.reshape(x.shape), tags[..., None], 1.0, axis=-1)

    def forward(self, x, run):
        scores, backward = self._scores(x, run)
        if run.logits:
            return scores, backward
        if run.training:
            raise ValueError(
                f"Layer '{self.name}' (CRF): it is the last layer of a model, and is trained with its own loss: "
                "model.compile(..., loss='crf'). Received: another loss, or a layer after it"
            )
        y = run.buffer("y", scores.shape)
        self.decode(y, scores, run.mask)
        return y, lambda dy: None  # tags have no slope

    def _scores(self, x, run):
        """x kernel + bias (B, T, units), and its way back"""
        if not self.use_kernel:
            return dense(x, run)
        rows, W = flat(x), self.kernel.value
        z = run.buffer("z", (len(rows), self.units))
        dense_kernel.forward(z, None, rows, W, self.bias.value if self.use_bias else None, _LINEAR)
        scores, undo = dense(like(x, z), run)

        def backward(dscores):
            dz, dx = undo(dscores).reshape(z.shape), run.buffer("dx", rows.shape) if run.wants_dx else None
            dW = self.kernel.grad if run.trains else None
            db = self.bias.grad if run.trains and self.use_bias else None
            dense_kernel.backward(dx, dW, db, None, dz, rows, W, z, None, _LINEAR)
            return dx if dx is None or type(x) is Rows else dx.reshape(x.shape)

        return scores, backward

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_boundary": self.use_boundary,
            "use_kernel": self.use_kernel,
            "use_bias": self.use_bias,
            **self.options_config("chain", "boundary", "kernel", "bias"),
        }
