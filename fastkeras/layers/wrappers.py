"""TimeDistributed and Bidirectional: layers that run another layer at each step, or in both directions of time."""

import numpy as np

from fastkeras._kernels import rows as rows_kernel
from fastkeras.core import nest
from fastkeras.core.rows import Rows, dense
from fastkeras.layers.config import inner_layer_to_config, layer_from_config, reading
from fastkeras.layers.inside import inside
from fastkeras.layers.layer import Layer
from fastkeras.layers.penalties import with_penalty
from fastkeras.utils.custom_objects import custom_object_scope
from fastkeras.utils.messages import message, names_of


def _checked_layer(wrapper, name, layer):
    if not isinstance(layer, Layer):
        raise ValueError(f"{wrapper}: `{name}` must be a layer. Received: {name}={layer!r}")
    return layer


def _through(layer, x, inner, run):
    """(y, backward) of a layer inside the one that `run` belongs to."""
    y, backward = layer.forward(x, inner)
    if layer.activity_regularizer is not None:
        y, backward = with_penalty(layer, y, backward, inner)
    return y, backward


# --- TimeDistributed -------------------------------------------------------------------------------------------------


def _folded(x):
    """(B, T, ...) -> (B*T, ...), of an array or Rows."""
    if type(x) is Rows:
        return Rows(x.values, _folded(x.index))
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def _unfolded(y, steps):
    """(B*T, ...) -> (B, T, ...), steps being (B, T)."""
    if type(y) is Rows:
        return Rows(y.values, _unfolded(y.index, steps))
    return y.reshape(*steps, *y.shape[1:])


class TimeDistributed(Layer):
    """y[b, t] = layer(x[b, t]): one layer, or model, applied to each step.

    x: (B, T, ...), or Rows of that shape; y: (B, T, ...). The steps of all batch rows are the layer's batch of B*T
    samples. If it works row by row, as Dense does, distinct rows are computed once. The layer's activity_regularizer
    counts per sample, as in Keras 2; Keras 3.15 leaves it out.

    A mask (B, T) holds for the output. The mask of further axes, (B, T, S, ...), is the layer's.
    """

    supports_masking = True

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = _checked_layer("TimeDistributed", "layer", layer)

    def sublayers(self):
        return [self.layer]

    @property
    def input_dtype(self):
        return self.layer.input_dtype

    def check_input(self, x):
        self.layer.check_input(x)

    def check_input_shape(self, input_shape):
        if isinstance(input_shape, list) or len(input_shape) < 3:
            raise ValueError(
                message("shape_for_layer", **names_of(self), expected="(batch, steps, ...)", received=input_shape)
            )
        self.layer.check_input_shape(self._step_shape(input_shape))

    @staticmethod
    def _step_shape(input_shape):
        return (None, *input_shape[2:])

    def build(self, input_shape):
        self.build_inside(self.layer, self._step_shape(input_shape))

    def compute_output_shape(self, input_shape):
        shape = self.layer.compute_output_shape(self._step_shape(input_shape))
        if isinstance(shape, list):
            raise ValueError(
                f"Layer '{self.name}' (TimeDistributed): `layer` must have one output. Received: {self.layer!r}, with "
                f"outputs of shapes {shape}"
            )
        return (*input_shape[:2], *shape[1:])

    def compute_mask(self, x, mask=None):
        if mask is None or mask.ndim == 2:
            return mask
        inner = self.layer.compute_mask(_folded(x), _folded(mask))
        return mask.reshape(*mask.shape[:2], -1).any(axis=2) if inner is None else _unfolded(inner, mask.shape[:2])

    def forward(self, x, run):
        mask = _folded(run.mask) if run.mask is not None and run.mask.ndim > 2 else None
        inner = run.inside(self.layer, "layer", mask)
        y, back = _through(self.layer, _folded(x), inner, run)

        def backward(dy):
            dx = back(dy if type(y) is Rows else dy.reshape(y.shape))
            return dx if dx is None or type(x) is Rows else dx.reshape(x.shape)

        return _unfolded(y, x.shape[:2]), backward

    def get_config(self):
        return {**super().get_config(), "layer": inner_layer_to_config(self.layer)}

    @classmethod
    def from_config(cls, config):
        with reading("The configuration"):
            return cls(**{**config, "layer": layer_from_config(config["layer"])})


# --- Bidirectional ---------------------------------------------------------------------------------------------------

_MERGE_MODES = ("concat", "sum", "mul", "ave", None)
_SHARED = ("stateful", "return_sequences", "return_state")  # what must be the same for both directions


class Bidirectional(Layer):
    """A recurrent layer read forwards and a copy of it read backwards, merged at each step.

    x: (B, T, D), or Rows of that shape; with y (B, T, U) and z (B, T, U) the outputs of the two layers, z turned round
    in time, merge_mode says what is returned:

        "concat"  [y | z], (B, T, 2U)    "sum"  y + z    "ave"  (y + z) / 2    "mul"  y z    None  the list [y, z]

    Without return_sequences there is no T. With return_state the states follow, those of the forward layer first, each
    layer's grouped as it groups them, and so they do in the list of initial states after x.

    Where both outputs are Rows, so is what they are merged to: over the distinct pairs of a forward and a backward
    state. At masked steps both outputs are zero, as in Keras, so these are one pair.

    Arguments: layer, a recurrent layer, which is copied; backward_layer, a layer to use instead of a copy with the
    opposite go_backwards; merge_mode; weights, initial ones, forward before backward.
    """

    supports_masking = True
    takes_several = True

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        super().__init__(weights=weights, **kwargs)
        _checked_layer("Bidirectional", "layer", layer)
        for name in ("go_backwards", *_SHARED):
            if not hasattr(layer, name):
                raise ValueError(
                    f"Bidirectional: `layer` must be a recurrent layer, with `{name}`. Received: layer={layer!r}"
                )
        if merge_mode not in _MERGE_MODES:
            raise ValueError(f"Bidirectional: `merge_mode` must be one of {_MERGE_MODES}. Received: {merge_mode!r}")
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward_", layer.go_backwards)
        self.has_own_backward_layer = backward_layer is not None
        if self.has_own_backward_layer:
            self.backward_layer = _checked_layer("Bidirectional", "backward_layer", backward_layer)
        else:
            self.backward_layer = _copy(layer, "backward_", not layer.go_backwards)
        self._check_pair()
        self.stateful, self.return_sequences, self.return_state = (getattr(layer, name) for name in _SHARED)
        for inner in self.sublayers():
            if hasattr(inner, "zero_output_for_mask"):  # a layer of the user's own may not know of it
                inner.zero_output_for_mask = self.return_sequences

    def _check_pair(self):
        first, second = self.sublayers()
        if first.go_backwards == second.go_backwards:
            raise ValueError(
                "Bidirectional: `layer` and `backward_layer` must differ in `go_backwards`. "
                f"Received: go_backwards={first.go_backwards} for both"
            )
        for name in _SHARED:
            if getattr(first, name) != getattr(second, name):
                raise ValueError(
                    f"Bidirectional: `layer` and `backward_layer` must have the same `{name}`. "
                    f"Received: {getattr(first, name)} and {getattr(second, name)}"
                )

    def sublayers(self):
        return [self.forward_layer, self.backward_layer]

    # --- shapes and weights ----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape):
        if isinstance(input_shape, list) and len(input_shape) % 2 == 0:
            raise ValueError(
                f"Layer '{self.name}' (Bidirectional): expected as many initial states for the forward layer as for "
                f"the backward layer. Received: {len(input_shape) - 1} states"
            )
        for layer, shape in zip(self.sublayers(), _halves(input_shape), strict=True):
            layer.check_input_shape(shape)

    def build(self, input_shape):
        for layer, shape in zip(self.sublayers(), _halves(input_shape), strict=True):
            self.build_inside(layer, shape)

    def compute_output_shape(self, input_shape):
        shapes = zip(self.sublayers(), _halves(input_shape), strict=True)
        (y, *y_states), (z, *z_states) = (_as_list(layer.compute_output_shape(shape)) for layer, shape in shapes)
        if self.merge_mode == "concat":
            outputs = [(*y[:-1], y[-1] + z[-1])]
        elif self.merge_mode is None:
            outputs = [y, z]
        elif y == z:
            outputs = [y]
        else:
            raise ValueError(
                f"Layer '{self.name}' (Bidirectional): merge_mode='{self.merge_mode}' needs outputs of one shape. "
                f"Received: {y} from `layer` and {z} from `backward_layer`"
            )
        return _one_or_all([*outputs, *y_states, *z_states])

    def compute_mask(self, x, mask=None):
        mask = mask[0] if isinstance(mask, list) else mask
        output, *states = _as_list(self.forward_layer.compute_mask(x, mask))
        return _one_or_all([output] * (2 if self.merge_mode is None else 1) + states * 2)

    # --- the pass --------------------------------------------------------------------------------------------------

    def __call__(self, x, initial_state=None, **options):
        """As every layer's; the states that return_state adds are grouped as each of the two layers groups them, and so
        may the initial ones be."""
        found = super().__call__(x, None if initial_state is None else nest.flat(initial_state), **options)
        if not self.return_state or not all(hasattr(layer, "state_size") for layer in self.sublayers()):
            return found
        groups = []
        for size in (layer.state_size for layer in self.sublayers()):
            groups += size if isinstance(size, (list, tuple)) else [size]
        outputs = 2 if self.merge_mode is None else 1
        return [*found[:outputs], *nest.packed(groups, found[outputs:])]

    def forward(self, x, run):
        given = (len(x) - 1) // 2 if isinstance(x, list) else 0  # initial states for each direction
        (y, y_back), (z, z_back) = (
            _through(layer, part, run.inside(layer, name, run.mask), run)
            for layer, part, name in zip(self.sublayers(), _halves(x), ("forward", "backward"), strict=True)
        )
        (y, *y_states), (z, *z_states) = _as_list(y), _as_list(z)
        turn_back = _unchanged
        if self.return_sequences:
            z, turn_back = _turned_in_time(z)
        outputs, split = [y, z], list
        if self.merge_mode is not None:
            merged, split_merged = _merged(y, z, self.merge_mode, run)
            outputs, split = [merged], lambda dys: [None, None] if dys[0] is None else split_merged(dys[0])

        def backward(dys):
            dys = _as_list(dys)
            (dy, dz), dstates = split(dys[: len(outputs)]), dys[len(outputs) :]
            half = len(dstates) // 2
            dx, *dinitial_y = _gradients(y_back, [dy, *dstates[:half]], 1 + given)
            dz = None if dz is None else turn_back(dz)
            dx_z, *dinitial_z = _gradients(z_back, [dz, *dstates[half:]], 1 + given)
            if dx is not None and dx_z is not None:
                dx += dx_z
            return _one_or_all([dx_z if dx is None else dx, *dinitial_y, *dinitial_z])

        return _one_or_all([*outputs, *y_states, *z_states]), backward

    def reset_states(self, states=None):
        """Forgets the states that a stateful layer carries, or sets them: a list, those of the forward layer first."""
        half = 0 if states is None else len(states) // 2
        self.forward_layer.reset_states(None if states is None else states[:half])
        self.backward_layer.reset_states(None if states is None else states[half:])

    reset_state = reset_states

    # --- configuration ---------------------------------------------------------------------------------------------

    def get_config(self):
        entry = inner_layer_to_config(self.forward_layer)
        entry["config"]["name"] = self.forward_layer.name.removeprefix("forward_")
        config = {**super().get_config(), "merge_mode": self.merge_mode, "layer": entry}
        if self.has_own_backward_layer:
            config["backward_layer"] = inner_layer_to_config(self.backward_layer)
        return config

    @classmethod
    def from_config(cls, config):
        with reading("The configuration"):
            layers = {key: layer_from_config(config[key]) for key in ("layer", "backward_layer") if config.get(key)}
        return cls(**{**config, **layers})


def _copy(layer, prefix, go_backwards):
    """A layer like this one, with weights of its own."""
    name = prefix + layer.name.removeprefix(prefix)
    with custom_object_scope({type(inner).__name__: type(inner) for inner in inside(layer)}):
        config = {**layer.get_config(), "name": name, "go_backwards": go_backwards}
        config |= {
            what: getattr(layer, what) for what in getattr(layer, "activation_names", ())
        }  # maybe not registered
        return type(layer).from_config(config)


def _halves(x):
    """What the forward and the backward layer get of [x, *states]; both get x if that is all there is."""
    if not isinstance(x, list):
        return x, x
    half = 1 + (len(x) - 1) // 2
    return x[:half], [x[0], *x[half:]]


def _as_list(x):
    return x if isinstance(x, list) else [x]


def _one_or_all(items):
    return items[0] if len(items) == 1 else items


def _unchanged(dy):
    return dy


def _gradients(back, dy, count):
    """A layer's `count` gradients of its inputs; None for each if nothing depends on its outputs."""
    if all(part is None for part in dy):
        return [None] * count
    return _as_list(back(_one_or_all(dy)))


def _turned_in_time(z):
    """z with its steps in the opposite order, and the way back for gradients."""
    if type(z) is Rows:
        return Rows(z.values, np.ascontiguousarray(z.index[:, ::-1])), _unchanged
    return np.ascontiguousarray(z[:, ::-1]), lambda dz: np.ascontiguousarray(dz[:, ::-1])


def _merged(y, z, mode, run):
    """Two outputs in one, and the function that takes its gradient to [dy, dz]."""
    if type(y) is Rows and type(z) is Rows:
        return _merged_rows(y, z, mode, run)
    (y, y_back), (z, z_back) = dense(y, run, "y"), dense(z, run, "z")
    merged, split = _merged_arrays(y, z, mode)

    def backward(dmerged):
        dy, dz = split(dmerged)
        return y_back(dy), z_back(dz)

    return merged, backward


def _merged_arrays(y, z, mode):
    if mode == "concat":
        U = y.shape[-1]
        return np.concatenate((y, z), axis=-1), lambda d: (
            np.ascontiguousarray(d[..., :U]),
            np.ascontiguousarray(d[..., U:]),
        )
    if mode == "sum":
        return y + z, lambda d: (d, d.copy())
    if mode == "ave":
        return (y + z) / 2, lambda d: (d / 2, d / 2)
    return y * z, lambda d: (d * z, d * y)


def _merged_rows(y, z, mode, run):
    """Rows over the distinct pairs of a row of y and a row of z."""
    N, U, V = y.index.size, y.values.shape[1], z.values.shape[1]
    index, first, second = (run.buffer(name, (N,), np.int32) for name in ("pair", "first", "second"))
    P = rows_kernel.pairs(index, first, second, y.index.reshape(N), z.index.reshape(N))
    first, second = first[:P], second[:P]
    if mode == "concat":
        values = run.buffer("pairs", (P, U + V))
        rows_kernel.gather_pairs(values, y.values, z.values, first, second)  # values_p = [ y_first | z_second ]
    else:
        left, right = run.buffer("left", (P, U)), run.buffer("right", (P, V))
        rows_kernel.gather(left, y.values, first)
        rows_kernel.gather(right, z.values, second)
        values, split = _merged_arrays(left, right, mode)

    def backward(dvalues):
        dy, dz = run.buffer("dy", y.values.shape), run.buffer("dz", z.values.shape)
        dy.fill(0.0)
        dz.fill(0.0)
        if mode == "concat":
            rows_kernel.scatter_add_pairs(dy, dz, dvalues, first, second)
        else:
            dleft, dright = split(dvalues)
            rows_kernel.scatter_add(dy, dleft, first)
            rows_kernel.scatter_add(dz, dright, second)
        return dy, dz

    return Rows(values, index.reshape(y.index.shape)), backward
