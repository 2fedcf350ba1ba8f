"""Dense, Embedding, Activation, Identity, Masking, Flatten, RepeatVector and the placeholder of a model's input."""

import numpy as np

from fastkeras import activations, config
from fastkeras._kernels import activations as activation_kernel
from fastkeras._kernels import dense as dense_kernel
from fastkeras._kernels import rows as rows_kernel
from fastkeras.core.rows import Origin, Rows, dense, flat, like
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.layers.layer import Layer
from fastkeras.utils.arguments import channels_last_or_first, positive_integer
from fastkeras.utils.messages import message, names_of

_LINEAR = activations.get("linear")
# How many ids there must be for each row of a table, before what is made of its rows is kept from batch to batch.
_READINGS = 8


class InputLayer(Layer):
    """The placeholder of a model's input, `output`: a symbolic tensor. The arguments are those of Input."""

    def __init__(self, shape=None, batch_size=None, dtype=None, batch_shape=None, **kwargs):
        if shape is not None:
            if not isinstance(shape, (tuple, list)):
                raise ValueError(
                    f"Input: `shape` must be a tuple with the extents of one sample. Received: shape={shape!r}"
                )
            batch_shape = (batch_size, *shape)
        super().__init__(batch_shape=batch_shape, **kwargs)
        if self.batch_input_shape is None:
            raise ValueError("Input: `shape` is missing. Received: shape=None")
        self.dtype = getattr(dtype, "__name__", dtype) or "float32"
        self.built = True
        self._tensor = SymbolicTensor(self.batch_input_shape, self.dtype, self.name)

    @classmethod
    def of(cls, tensor):
        """The layer whose output is this symbolic tensor."""
        layer = cls(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
        layer._tensor = tensor
        return layer

    @property
    def output(self):
        return self._tensor

    input = output

    @property
    def output_shape(self):
        return self._tensor.shape

    input_shape = output_shape

    def get_config(self):
        return {"batch_shape": self.batch_input_shape, "dtype": self.dtype, "sparse": False, "name": self.name}


def Input(shape=None, batch_size=None, dtype=None, batch_shape=None, name=None):
    """A symbolic tensor that stands for a model's input.

    shape: the extents of one sample, without the batch axis; None where an extent may vary. batch_size: the number of
    samples, if it never varies. batch_shape: both in one. dtype: float32 unless it is given, int32 or string for
    layers that take those. A ValueError if there is no shape.
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name=name).output


class Dense(Layer):
    """y = activation(x @ kernel + bias)

    x: (..., D) float32; kernel: (D, units); bias: (units,); y: (..., units). Rows are mapped one by one, so distinct
    rows (core/rows.py) are computed once.

    Arguments: units; activation (None is linear); use_bias; kernel_initializer, bias_initializer,
    kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint; and those of Layer.
    """

    supports_masking = True
    can_give_logits = True

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_integer("Dense", "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    def check_input_shape(self, input_shape):
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(message("features_for_dense", layer=self.name, received=tuple(input_shape)))
        if self.built and input_shape[-1] != self.kernel.shape[0]:
            fields = {"layer": self.name, "kind": "Dense", "count": self.kernel.shape[0]}
            raise ValueError(message("features_for_layer", **fields, received=tuple(input_shape)))

    def build(self, input_shape):
        self.kernel = self.add_weight_as_told("kernel", (input_shape[-1], self.units))
        self.bias = self.add_weight_as_told("bias", (self.units,)) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def forward(self, x, run):
        rows = flat(x)
        W, b = self.kernel.value, self.bias.value if self.use_bias else None
        activation = _LINEAR if run.logits else self.activation
        f = activation.kernel or _LINEAR.kernel
        shape = (rows.shape[0], self.units)
        y = run.buffer("y", shape)
        z = run.buffer("z", shape) if f.needs_input else None
        dense_kernel.forward(y, z, rows, W, b, f)  # y = f(x W + b)
        if activation.kernel is None:
            y, undo = activation.forward(y)

        def backward(dy):
            dy = flat(dy)
            if activation.kernel is None:
                dy = undo(dy)
            dz = run.buffer("dz", shape)
            dx = run.buffer("dx", rows.shape) if run.wants_dx else None
            dW = self.kernel.grad if run.trains else None
            db = self.bias.grad if run.trains and self.use_bias else None
            # dz = f'(z) dy    dx = dz W^T    dW += x^T dz    db += sum of dz over rows
            dense_kernel.backward(dx, dW, db, dz, dy, rows, W, y, z, f)
            return dx if dx is None or rows is x or type(x) is Rows else dx.reshape(x.shape)

        return like(x, y), backward

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.options_config("kernel", "bias"),
        }


def _differ(x, value, last_axis=False):
    """Where x, an array or a symbolic tensor, is not `value`; of the last axis whether it is anywhere."""
    if isinstance(x, SymbolicTensor):
        from fastkeras import ops  # here, since most scripts need none

        differs = ops.not_equal(x, value)
        return ops.any(differs, axis=-1) if last_axis else differs
    return (x != value).any(axis=-1) if last_axis else x != value


class Embedding(Layer):
    """y[b, t] = embeddings[x[b, t]]

    x: int32 ids in [0, input_dim), of any shape; embeddings: (input_dim, output_dim); y: x.shape + (output_dim,).
    Returns Rows: the distinct ids of the batch are gathered once, and the layers that follow compute each of them once.

    Arguments: input_dim, output_dim; embeddings_initializer, embeddings_regularizer, embeddings_constraint;
    mask_zero (id 0 is padding: its steps are masked); input_length (the length of each row, if it is fixed).
    """

    input_dtype = "int32"

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        activity_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        input_length=None,
        **kwargs,
    ):
        if input_length is not None and "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["input_shape"] = input_length if isinstance(input_length, (list, tuple)) else (input_length,)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.input_dim = positive_integer("Embedding", "input_dim", input_dim)
        self.output_dim = positive_integer("Embedding", "output_dim", output_dim)
        self.keep_options("embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        self.mask_zero = self.supports_masking = bool(mask_zero)
        self.input_length = input_length

    def build(self, input_shape):
        self.embeddings = self.add_weight_as_told("embeddings", (self.input_dim, self.output_dim))

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def check_input(self, x):
        if x.size and not (x.min() >= 0 and x.max() < self.input_dim):
            row, *place = np.argwhere(~((x >= 0) & (x < self.input_dim)))[0].tolist()
            received = message("place_of_id", value=x[(row, *place)], row=row, place=tuple(place))
            largest, cure = x.max(), message("cure_no_ids")
            if x.min() >= 0 and largest <= np.iinfo(np.int32).max:
                needed = int(largest) + 1
                cure = message("cure_larger_input_dim", largest=largest, needed=needed, input_dim=self.input_dim)
            raise ValueError(self._ids_outside(cure, received))

    def compute_mask(self, x, mask=None):
        return _differ(x, 0) if self.mask_zero else None

    def forward(self, x, run):
        ids = dense(x, run)[0]
        if ids.dtype != np.int32:  # other layers come before this one
            ids = ids.astype(np.int32)
        index = run.buffer("index", (ids.size,), np.int32)
        distinct = run.buffer("distinct", (min(ids.size, self.input_dim),), np.int32)
        distinct = distinct[: self._find_distinct(index, distinct, ids, run)]
        values = run.buffer("values", (distinct.size, self.output_dim))
        rows_kernel.gather(values, self.embeddings.value, distinct)  # values_r = embeddings[distinct_r]

        def backward(dvalues):
            if run.trains:
                rows_kernel.scatter_add(self.embeddings.grad, dvalues, distinct)  # dembeddings[distinct_r] += dvalues_r

        same, origin = run.same_weights, None
        if same is not None and same.batches * ids.size >= _READINGS * self.input_dim:
            origin = Origin(same, self.input_dim, distinct, ids)
        return Rows(values, index.reshape(ids.shape), origin), backward

    def _find_distinct(self, index, distinct, ids, run):
        seen = run.buffer("seen", (self.input_dim,), np.int32)
        if not run.kept.get("seen_is_clear"):
            seen.fill(-1)
            run.kept["seen_is_clear"] = True
        try:
            return rows_kernel.distinct(index, distinct, ids, seen)
        except IndexError as error:
            received = str(error).removesuffix(f" is outside [0, {self.input_dim})")
            raise ValueError(self._ids_outside(message("cure_no_ids"), received)) from None

    def _ids_outside(self, cure, received):
        return message("ids_outside", layer=self.name, input_dim=self.input_dim, cure=cure, received=received)

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            **self.options_config("embeddings"),
            "mask_zero": self.mask_zero,
        }


class Activation(Layer):
    """y = activation(x), for an activation by name, from fastkeras.activations, or an object of the user's own."""

    supports_masking = True
    can_give_logits = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def forward(self, x, run):
        if run.logits:
            return x, lambda dy: dy
        rows = flat(x)
        f = self.activation.kernel
        if f is None:
            y, undo = self.activation.forward(rows)
            return like(x, y), lambda dy: undo(dy.reshape(rows.shape))
        y = run.buffer("y", rows.shape)
        activation_kernel.forward(y, rows, f)

        def backward(dy):
            dx = run.buffer("dx", rows.shape)
            activation_kernel.backward(dx, dy.reshape(rows.shape), rows if f.needs_input else None, y, f)
            return dx if type(x) is Rows else dx.reshape(x.shape)

        return like(x, y), backward

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Identity(Layer):
    """y = x"""

    supports_masking = True

    def forward(self, x, run):
        return x, lambda dy: dy


class Masking(Layer):
    """Masks the steps at which every feature equals `mask_value`; the masked steps' features become zero.

    x: (B, T, D); the mask is (B, T).
    """

    supports_masking = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, x, mask=None):
        x = x.values[x.index] if type(x) is Rows else x
        return _differ(x, np.float32(self.mask_value), last_axis=True)

    def forward(self, x, run):
        x, back = dense(x, run)
        kept = (x != np.float32(self.mask_value)).any(axis=-1, keepdims=True)
        y = run.buffer("y", x.shape)
        y.fill(0.0)
        np.copyto(y, x, where=kept)
        return y, lambda dy: back(dy * kept)

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}


class Flatten(Layer):
    """(B, ...) -> (B, the product of the other extents), in row-major order.

    data_format "channels_first" moves axis 1 to the end first, as Keras does.
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        if data_format is not None:
            channels_last_or_first("Flatten", data_format)
        self.data_format = data_format or config.image_data_format()

    def check_input_shape(self, input_shape):
        if len(input_shape) < 1:
            raise ValueError(
                message("shape_for_layer", **names_of(self), expected="(batch, ...)", received=tuple(input_shape))
            )

    def compute_output_shape(self, input_shape):
        extents = input_shape[1:]
        return (input_shape[0], None if None in extents else int(np.prod(extents)))

    def forward(self, x, run):
        x, back = dense(x, run)
        if self.data_format == "channels_first" and x.ndim > 2:
            moved = np.ascontiguousarray(np.moveaxis(x, 1, -1))
            return moved.reshape(len(x), -1), lambda dy: back(
                np.ascontiguousarray(np.moveaxis(dy.reshape(moved.shape), -1, 1))
            )
        return x.reshape(len(x), -1) if x.size else x.reshape(len(x), int(np.prod(x.shape[1:]))), lambda dy: back(
            dy.reshape(x.shape)
        )

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class RepeatVector(Layer):
    """(B, D) -> (B, n, D): y[b, t] = x[b] at each of n steps.

    Returns Rows over x: the layers that follow compute each of its rows once.
    """

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = positive_integer("RepeatVector", "n", n)

    def check_input_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(
                message("shape_for_layer", **names_of(self), expected="(batch, features)", received=tuple(input_shape))
            )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])

    def forward(self, x, run):
        index = x.index if type(x) is Rows else np.arange(len(x), dtype=np.int32)
        repeated = run.buffer("index", (len(index), self.n), np.int32)
        repeated[...] = index[:, None]
        return Rows(flat(x), repeated), lambda dvalues: dvalues

    def get_config(self):
        return {**super().get_config(), "n": self.n}
