"""Layer: what all layers are.

To write one, subclass Layer and give it

    build(input_shape)       makes the weights with self.add_weight
    call(inputs)             computes with fastkeras.ops and with other layers, kept as attributes, and returns a
                             tensor or a list of them; it may also take training and mask (layers/calling.py)
    get_config()             the arguments of __init__, for files

or, for the full speed of kernels and numpy, in place of `call`

    forward(x, run)          returns (y, backward); backward(dy) is a closure right below the forward pass that adds
                             to the weights' gradients and returns dx (it may overwrite dy)
    compute_output_shape(input_shape)      if it is not the input's

What the backward pass needs, the closure closes over; arrays that repeat from batch to batch come from run.buffer.
A penalty that depends on x or y is a number, run.add_loss(penalty), and its gradient, which backward adds to dx.
x is an array or Rows (core/rows.py); a layer that has no use for distinct rows begins with `dense(x, run)`. What
passes between convolutions and max pooling may be less (core/peaks.py), where both say that they know it.
"""

import functools
import inspect

import numpy as np

from fastkeras import constraints, initializers, regularizers
from fastkeras.core.tensor import SymbolicTensor, Watchable, tapes
from fastkeras.core.variable import Variable, initial_value
from fastkeras.layers import calling, cures, eager
from fastkeras.layers.arguments import inputs_by_name, numbered
from fastkeras.layers.inside import among, each_once, inside, is_layer
from fastkeras.layers.penalties import numbers, of_weight
from fastkeras.utils import suggest
from fastkeras.utils.arrays import to_array
from fastkeras.utils.messages import message, names_of
from fastkeras.utils.naming import snake_case, unique_name

# What can be said about a weight, and the module that makes it from a name and back.
_WEIGHT_OPTIONS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
_NO_OTHER = object.__getattribute__  # where classes have no __getattr__; a property says itself what it misses
_TYPES = {"float32", "float", "int32", "int64", "int"}  # those of ids are taken from files and count for nothing


class CallSite:
    """One use of a layer in a graph: the symbolic tensors it was called on and those it gave.

    keywords: what else the layer was told, {name: value}; tensors in it are the last of the inputs, Nth here.
    training: whether the layer trains here, whatever the model does; None if the call did not say so.
    masks: of a layer whose `forward` looks for no mask among the keywords, the mask that the call gave each of the
    other inputs, the Nth input or None; None if it gave none.
    """

    def __init__(self, layer, inputs, output_shapes, keywords=None):
        self.layer = layer
        self.inputs = inputs
        self.keywords = keywords or {}
        self.training = self.keywords.get("training")
        self.masks = None
        if layer.call is None and "mask" not in layer.call_keywords and "mask" in self.keywords:
            given = self.keywords["mask"]
            given = given if isinstance(given, list) else [given]
            others, _ = inputs_by_name(inputs, self.keywords)
            self.masks = given + [None] * (len(others) - len(given))
        self.outputs = [SymbolicTensor(shape, name=layer.name, site=self) for shape in output_shapes]


def _is_symbolic(x):
    return isinstance(x, SymbolicTensor) or (
        isinstance(x, (list, tuple)) and len(x) > 0 and all(isinstance(item, SymbolicTensor) for item in x)
    )


def _several(shape):
    return isinstance(shape, list)


def _after(lookup):
    """The __getattr__ of layers of the user's own: what `lookup` finds, the __getattr__ that their classes have; where
    it finds nothing for want of super().__init__(), an AttributeError with that reason."""

    def find(layer, name):
        try:
            return lookup(layer, name)
        except (AttributeError, RecursionError):  # the latter where it looks into what its own __init__ was to set
            if name.startswith("__") or "_variables" in vars(layer):
                raise
        kind = type(layer).__name__
        raise AttributeError(f"{kind}: `__init__` must call super().__init__() first. Received: no {name!r} yet")

    find.lookup = lookup
    return find


def _as_called_by_hand(build):
    """A layer's `build`, which may also be called by hand, as in the `build` of a layer around it: it then makes the
    layer built, and is not called once more when the layer meets its inputs."""

    @functools.wraps(build)
    def build_once(self, *shapes, **by_name):
        if self._is_building:  # by ensure_built, or by a `build` that calls that of its base class
            return build(self, *shapes, **by_name)
        return self.ensure_built(*shapes, **by_name)

    return build_once


class Layer:
    """The base of all layers.

    Arguments (those of Keras): name; trainable; dtype (float32, the only one computed in); input_shape,
    batch_input_shape or input_dim, which let the first layer of a Sequential model be built at once; weights, the
    initial values of the layer's weights (a list, or the only one); activity_regularizer, a penalty on the output
    added to the loss.
    """

    supports_masking = False  # whether the input's mask holds for the output
    can_give_logits = False  # whether forward leaves out its last activation when run.logits asks for it
    can_give_unpooled = False  # whether forward may return Unpooled (core/peaks.py) when run.unpooled asks for it
    takes_unpooled = False  # whether forward takes Unpooled
    dtype = compute_dtype = variable_dtype = "float32"
    call = None  # a subclass may define it: see above
    takes_list = False  # whether the layer is called on a list even if there is one input in it
    takes_several = False  # whether it may have several inputs; layers of the user's own are not asked
    input_dtype = "float32"  # what arrays are converted to before they reach the layer, as `as_input` says it
    trial_masks = None  # of what `call` is tried on, by what stands for an extent that is None
    trial_dtypes = ()  # of the zeros, or texts, on which `call` is tried, to see what shapes it makes; else float32
    is_model = False  # a model's get_config gives its layers, a layer's the arguments of __init__
    never_read = ()  # what Keras 2 wrote into the layer's configurations and nothing here needs to know
    shares_weights_of = None  # the layer whose weights are this one's too, if there is one
    inputs_apart = False  # whether a call has its inputs one by one, layer(query, value), not in a list
    # What a call may be told besides its inputs, and files keep: with training, mask and, where `call` is defined, all.
    call_keywords = ("initial_state",)
    _is_building = False
    weights_place = ""  # where Keras 3 keeps the weights in files, within the layer's own place

    def __init__(
        self,
        *,
        name=None,
        trainable=True,
        dtype=None,
        input_shape=None,
        batch_input_shape=None,
        batch_shape=None,
        input_dim=None,
        weights=None,
        activity_regularizer=None,
        **unknown,
    ):
        if unknown:
            raise TypeError(
                suggest.unknown(f"argument of {type(self).__name__}", next(iter(unknown)), self._arguments())
            )
        if isinstance(dtype, dict):
            dtype = dtype.get("config", {}).get("name")
        if dtype is not None and getattr(dtype, "__name__", dtype) not in _TYPES:
            raise ValueError(f"{type(self).__name__}: `dtype` must be 'float32'. Received: {dtype!r}")
        self._check_call()
        self.name = name or unique_name(snake_case(type(self).__name__))
        self._trainable = bool(trainable)
        self.built = False
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.batch_input_shape = _first_shape(
            type(self).__name__, input_shape, batch_input_shape or batch_shape, input_dim
        )
        self._initial_weights = weights
        self._variables = []
        self._made_trainable = 0
        self._added_losses = []
        self._idle_runs = []  # of calls on data
        self.sites = []

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls) and not cls.is_model:
            cls.build = _as_called_by_hand(cls.build)
        # Only in classes of the user's own, since every attribute of a class with a __getattr__ costs more to look up:
        # predict and train_on_batch of a tiny model took 1.06 to 1.09 times as long with one in Layer (Python 3.11).
        if not cls.__module__.startswith("fastkeras."):
            given = [vars(kind)["__getattr__"] for kind in cls.__mro__ if "__getattr__" in vars(kind)]
            lookups = [getattr(one, "lookup", one) for one in given]
            own = (lookup for lookup in lookups if lookup is not _NO_OTHER)
            cls.__getattr__ = _after(next(own, _NO_OTHER))

    @classmethod
    def _arguments(cls):
        names = set()
        for base in cls.__mro__[:-1]:
            names.update(inspect.signature(base.__init__).parameters)
        return names - {"self", "kwargs", "unknown", "args"}

    # --- weights ---------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name=None,
        shape=(),
        initializer="glorot_uniform",
        *,
        dtype=None,
        trainable=True,
        regularizer=None,
        constraint=None,
    ):
        """A new Variable of the layer, float32, with values from the initializer.

        Keras 3's order, add_weight(shape, initializer), is understood too.
        """
        if isinstance(name, (tuple, list)):
            name, shape, initializer = None, name, shape or initializer
        name = name or f"variable_{len(self._variables)}"
        if dtype not in (None, "float32", np.float32):
            raise ValueError(f"Layer '{self.name}': the `dtype` of '{name}' must be 'float32'. Received: {dtype!r}")
        initializer = initializer or "glorot_uniform"
        value = initial_value(initializers.get(initializer), tuple(int(n) for n in shape))
        if np.shape(value) != tuple(shape):
            raise ValueError(
                f"Layer '{self.name}': the initializer of '{name}' must give an array of shape {tuple(shape)}. "
                f"Received: shape {np.shape(value)}"
            )
        self.adopt_variables()
        variable = Variable(
            value,
            name,
            trainable,
            regularizers.get(regularizer),
            constraints.get(constraint),
            path=f"{self.name}/{name}",
        )
        self._own(variable)
        return variable

    add_variable = add_weight  # Keras 2's name

    def add_metric(self, *args, **kwargs):
        """Raises a NotImplementedError: Keras 3 has no such method any more."""
        raise NotImplementedError(
            f"Layer '{self.name}': add_metric() is gone since Keras 3. Give metrics of the outputs to "
            "model.compile(metrics=[...]); of other values, make a keras.metrics.Mean in the __init__ of a model of "
            f"your own, update it in its train_step and return its result(). Received: {(*args, kwargs)!r:.200}"
        )

    def _own(self, variable):
        """Counts a variable among the layer's weights: trainable ones first, as Keras counts them; so they stay if one
        is frozen later."""
        self._variables.insert(self._made_trainable if variable.trainable else len(self._variables), variable)
        self._made_trainable += variable.trainable
        variable.is_owned = True

    def adopt_variables(self):
        """Counts among the weights of the layer, and of those inside it, the Variables that the user's own code has set
        as attributes, or in lists or dicts there, and that are no layer's yet."""
        if self.call is not None or self.is_model:
            for layer in self.sublayers():
                layer.adopt_variables()
        self._adopt_own()

    def _adopt_own(self):
        """The same for those of the layer itself, once the layers inside it have theirs."""
        if self.call is not None or self.is_model:
            for variable in among(vars(self), lambda value: isinstance(value, Variable) and not value.is_owned):
                variable.path = f"{self.name}/{variable.path}"
                self._own(variable)

    def keep_options(self, prefix, initializer, regularizer, constraint):
        """Keeps what __init__ was told about a weight under Keras's names: `<prefix>_initializer` and so on."""
        setattr(self, f"{prefix}_initializer", initializers.get(initializer))
        setattr(self, f"{prefix}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{prefix}_constraint", constraints.get(constraint))

    def add_weight_as_told(self, name, shape, prefix=None):
        """`add_weight` with the options kept under the prefix, by default the weight's name."""
        options = {what: getattr(self, f"{prefix or name}_{what}") for what in _WEIGHT_OPTIONS}
        return self.add_weight(name, shape, **options)

    def options_config(self, *prefixes):
        """The part of get_config that tells about weights."""
        return {
            f"{prefix}_{what}": serializer.serialize(getattr(self, f"{prefix}_{what}"))
            for what, serializer in _WEIGHT_OPTIONS.items()
            for prefix in prefixes
        }

    @_as_called_by_hand
    def build(self, input_shape):
        """Makes the weights for inputs of this shape (None where an extent is not known)."""

    def ensure_built(self, *shapes, **by_name):
        """Makes the weights if there are none yet, by `build`, and sets those that the argument `weights` gave.

        shapes, by_name: what `build` takes, the input's shape as a rule.
        """
        if not self.built:
            self._is_building = True
            try:
                self.build(*shapes, **by_name)
            finally:
                self._is_building = False
            self.built = True
            self.adopt_variables()
            if self._initial_weights is not None:
                given = self._initial_weights
                self.set_weights([given] if isinstance(given, np.ndarray) else given)
                self._initial_weights = None

    def build_inside(self, layer, input_shape):
        """Makes the weights of a layer inside this one; their paths then begin with this one's name."""
        layer.ensure_built(input_shape)
        for variable in layer.variables:
            variable.path = f"{self.name}/{variable.path}"

    def sublayers(self):
        """The layers inside this one: where `call` is defined, the attributes that are layers, or lists or dicts of
        them."""
        return [] if self.call is None else among(vars(self), is_layer)

    @property
    def variables(self):
        """All weights: those that were made trainable first, as in Keras."""
        inner = [v for layer in self.sublayers() for v in layer.variables]
        self._adopt_own()
        return each_once(self._variables + inner) if inner else list(self._variables)

    weights = variables

    @property
    def trainable_variables(self):
        """The weights that training changes: none if the layer is not trainable."""
        if not self._trainable:
            return []
        inner = [v for layer in self.sublayers() for v in layer.trainable_variables]
        self._adopt_own()
        return each_once(self.own_trainable_variables + inner) if inner else self.own_trainable_variables

    trainable_weights = trainable_variables

    @property
    def own_trainable_variables(self):
        """Those of the layer itself that were made trainable, without those of layers inside it."""
        return [v for v in self._variables if v.trainable]

    @property
    def own_frozen_variables(self):
        """Those of the layer itself that training never changes."""
        return [v for v in self._variables if not v.trainable]

    @property
    def non_trainable_variables(self):
        """All others, in the order of `variables`."""
        trained = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trained]

    non_trainable_weights = non_trainable_variables

    @property
    def trainable(self):
        """Whether training may change the weights; if it is set, so is that of the layers inside this one."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for layer in self.sublayers():
            layer.trainable = value

    @property
    def losses(self):
        """The penalties that the regularizers of the trained weights add to the loss now, one number for each, and
        after a call on data what the layers have added to the loss of it. While a tape records: tensors."""
        regularized = [v for v in self.trainable_variables if v.regularizer is not None]
        added = each_once([loss for layer in inside(self) for loss in layer._added_losses])
        if tapes.recording:
            return [of_weight(v) for v in regularized] + numbers(added)
        return [v.regularizer(v.value) for v in regularized] + added

    def get_weights(self):
        """Copies of all weights, as a list of numpy arrays."""
        return [v.numpy() for v in self.variables]

    def set_weights(self, weights):
        """Sets all weights from a list of arrays in the order of `get_weights`; none is changed if one does not fit."""
        variables, arrays = self.variables, [np.asarray(w) for w in weights]
        wanted, given = [v.shape for v in variables], [a.shape for a in arrays]
        if wanted != given:
            fields = {"layer": self.name, "count": len(wanted), "expected": wanted}
            raise ValueError(message("weights_of_layer", **fields, received=given))
        for variable, array in zip(variables, arrays, strict=True):
            variable.value[...] = array

    def count_params(self):
        """The number of weights, counted one by one."""
        if not self.built:
            raise ValueError(f"Layer '{self.name}' has no weights to count before it is built.")
        return sum(v.value.size for v in self.variables)

    # --- the pass --------------------------------------------------------------------------------------------------

    def _check_call(self):
        """Raises a TypeError if the `call` of a subclass would never run, since a layer that it extends has a
        `forward`, which computes."""
        kinds = type(self).__mro__
        of_call, of_forward = (next(kind for kind in kinds if name in vars(kind)) for name in ("call", "forward"))
        if of_forward is not Layer and not self.is_model and kinds.index(of_call) < kinds.index(of_forward):
            raise TypeError(
                f"{kinds[0].__name__}: `call` would not be run, since {of_forward.__name__} computes by `forward`; "
                f"make a Layer that holds a {of_forward.__name__} and calls it. Received: {of_call.__name__}.call"
            )

    def forward(self, x, run):
        """(y, backward): the output for x, an array or a list of them, and the function from dy to dx that adds to the
        weights' gradients. run: what belongs to this pass (core/run.py). See the top of this file."""
        if self.call is None:
            raise NotImplementedError(
                f"{type(self).__name__} must define call(inputs), or forward(x, run) -> (y, backward)"
            )
        return calling.forward(self, x, run)

    def compute_output_shape(self, input_shape):
        """The shape of y, or a list of them; None where an extent is not known. Without a `call` or a definition of the
        layer's own it is the input's."""
        return input_shape if self.call is None else calling.output_shape(self, input_shape)

    def add_loss(self, loss):
        """Within `call`: adds a tensor, the sum of its elements, to the loss of the batch."""
        if tapes.losses is None:
            raise ValueError(f"Layer '{self.name}': add_loss() belongs into its call(). Received: {loss!r:.200}")
        tapes.losses += loss if isinstance(loss, (list, tuple)) else [loss]

    def compute_mask(self, x, mask=None):
        """The mask of the output, given the layer's input and its mask (None if every step counts)."""
        return mask if self.supports_masking else None

    def __call__(self, x, *args, **kwargs):
        """A layer called on a symbolic tensor adds a call site to the graph; called on data, it answers at once.

        x: one input or a list of them. initial_state: the state, or list of states, that a recurrent layer starts
        from. mask: bool, the leading axes of x; a list of them, or of None, if x is one. Without it, that counts which
        x carries, as the output does then. training: whether dropout and its like are active; it may come second. On
        a symbolic tensor it holds whatever the model does, in fit and in predict, and mask is symbolic too. Without it
        training is the model's, or that of the layer whose `call` this one is called in.

        A layer with a `call` of its own takes what that takes, and counts training and mask among it.
        """
        if self.call is not None:
            return calling.called(self, (x, *args), kwargs)
        return self._call_built_in(x, *args, **kwargs)

    def _call_built_in(self, x, initial_state=None, training=None, mask=None):
        if isinstance(initial_state, bool):  # Dropout(0.5)(x, True)
            initial_state, training = None, initial_state
        symbolic = _is_symbolic(x)
        several = isinstance(x, (list, tuple)) and len(x) > 0
        many = several and (symbolic or all(isinstance(item, np.ndarray) for item in x))
        inputs = list(x) if many else [x]
        if initial_state is not None:
            inputs += initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
        if not symbolic:
            return self._call_eager(inputs, training, mask)
        told = {} if mask is None else {"mask": self._symbolic_masks(mask, inputs)}
        keywords = numbered(told, SymbolicTensor, inputs)
        return self._call_symbolic(inputs, self._with_training(keywords, training))

    def _symbolic_masks(self, mask, inputs):
        """The mask of a call on symbolic tensors: one, or a list of one or None for each input; a ValueError if it is
        neither."""
        masks = mask if isinstance(mask, (list, tuple)) else [mask]
        if len(masks) > len(inputs) or not all(m is None or isinstance(m, SymbolicTensor) for m in masks):
            fields = names_of(self)
            raise ValueError(message("symbolic_mask", **fields, count=len(inputs), received=f"{mask!r:.200}"))
        return mask if isinstance(mask, SymbolicTensor) else list(masks)

    def _with_training(self, keywords, training):
        """The keywords of a call on symbolic tensors, with `training` if it is given; a ValueError if it is no bool."""
        if training is None:
            return keywords
        if not isinstance(training, (bool, np.bool_, int, np.integer)):
            raise ValueError(message("training", **names_of(self), received=f"{training!r:.200}"))
        return {**keywords, "training": bool(training)}

    def call_with(self, inputs, keywords, training=None):
        """As `__call__`, for a layer whose calls have keywords of their own; None and False are those left out.

        forward finds them in run.keywords, and `inputs_by_name` puts the tensors among them in their places.
        """
        inputs = list(inputs)
        told = {name: value for name, value in keywords.items() if value is not None and value is not False}
        keywords = numbered(told, (SymbolicTensor, np.ndarray, Watchable), inputs)
        if not _is_symbolic(inputs):
            return self._call_eager(inputs, training, None, keywords)
        return self._call_symbolic(inputs, self._with_training(keywords, training))

    def _call_symbolic(self, inputs, keywords=None):
        try:
            output_shape = self._prepare([t.shape for t in inputs], keywords)
        except ValueError as error:
            clearer = cures.explained(error, self, inputs[0])
            if clearer is None:
                raise
            raise clearer from None
        if _several(output_shape):
            return self.add_site(inputs, output_shape, keywords)
        return self.add_site(inputs, [output_shape], keywords)[0]

    def add_site(self, inputs, output_shapes, keywords=None):
        """Adds a call site to the graph that the inputs are in. Returns its outputs, a list."""
        site = CallSite(self, inputs, output_shapes, keywords)
        self.sites.append(site)
        return site.outputs

    def _call_eager(self, inputs, training, mask, keywords=None):
        return eager.called(self, inputs, training, mask, keywords or {})

    def input_dtypes(self, n):
        """What arrays are converted to for each of n inputs."""
        return [self.input_dtype] * n

    def _as_array(self, given, texts=False):
        """An input as an array of numbers or, where there may be `texts`, of texts; a ValueError or a TypeError that
        names the layer if it is neither."""
        if isinstance(given, np.ndarray) and given.dtype.kind in "fiub" and given.flags.aligned:
            return np.asarray(given)
        return to_array("inputs", given, texts, message("in_layer", **names_of(self)))

    def makes_masks(self):
        """Whether the layer has a way of its own to a mask."""
        return type(self).compute_mask is not Layer.compute_mask

    def forget_losses(self):
        """Before a call that is not part of another: forgets what the last one has added to the loss."""
        for layer in inside(self):
            layer._added_losses = []

    def keep_losses(self, losses):
        """Keeps what a call has added to the loss."""
        self._added_losses = losses

    def take_losses(self, losses):
        """Keeps what a call has added to the loss, and hands it to the call around it."""
        self.keep_losses(losses)
        if tapes.losses is not None:
            tapes.losses += losses

    def give_run(self, run):
        """Takes a run back whose call has ended, and whose arrays nobody needs any more."""
        run.forget()
        self._idle_runs.append(run)

    def _prepare(self, shapes, keywords=None):
        """Checks the inputs' shapes, makes the weights if there are none, and returns the output's shape."""
        if self.call is None and keywords:
            shapes, _ = inputs_by_name(shapes, keywords)
        return self.compute_output_shape(self._ready(shapes))

    def _ready(self, shapes):
        """The same, but for the output's shape: returns the input's, a list if there are several."""
        shape = shapes[0] if len(shapes) == 1 else shapes
        if len(shapes) > 1 and self._refuses_several():
            raise ValueError(message("one_input", **names_of(self), received=shapes))
        self.check_input_shape(shape)
        self.ensure_built(shape)
        return shape

    def _refuses_several(self):
        return not self.takes_several and self.call is None and type(self).__module__.startswith("fastkeras.")

    def check_input_shape(self, input_shape):
        """Raises a ValueError that names the layer if it cannot take inputs of this shape."""

    def check_input(self, x):
        """Raises a ValueError that names the layer if it cannot take these values; for what the user passes only, as
        it came, before it is converted to `input_dtype`."""

    @property
    def input(self):
        """The symbolic tensor the layer was first called on (a list if there were several)."""
        inputs = self._first_site("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self):
        """The symbolic tensor of the layer's first call (a list if it gives several)."""
        outputs = self._first_site("output").outputs
        return outputs[0] if len(outputs) == 1 else outputs

    @property
    def input_shape(self):
        """The shape of `input`, batch axis included; None where an extent may vary."""
        inputs = self._first_site("input_shape").inputs
        return inputs[0].shape if len(inputs) == 1 else [t.shape for t in inputs]

    @property
    def output_shape(self):
        """The shape of `output`, or a list of them."""
        outputs = self._first_site("output_shape").outputs
        return outputs[0].shape if len(outputs) == 1 else [t.shape for t in outputs]

    def _first_site(self, what):
        if not self.sites:
            raise AttributeError(f"Layer '{self.name}' has no `{what}`: it was not called on a symbolic tensor.")
        return self.sites[0]

    # --- configuration ---------------------------------------------------------------------------------------------

    def get_config(self):
        """The arguments that make an equal layer: plain Python values, as files hold them."""
        config = {"name": self.name, "trainable": self._trainable, "dtype": "float32"}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` describes, with fresh weights."""
        return cls(**config)

    def __getstate__(self):
        """A copy or a pickle is in no graph and no run; that of a model puts its layers back into its own graph."""
        return {**vars(self), "sites": [], "_idle_runs": []}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _first_shape(kind, input_shape, batch_shape, input_dim):
    """The shape with its batch axis that a first layer's arguments give, or None."""
    if batch_shape is not None:
        return _extents(kind, "batch_shape", batch_shape)
    if input_shape is not None:
        given = (input_shape,) if isinstance(input_shape, int) else input_shape
        return (None, *_extents(kind, "input_shape", given))
    return None if input_dim is None else (None, *_extents(kind, "input_dim", (input_dim,)))


def _extents(kind, name, shape):
    """A shape as a tuple of ints, and of None for what is not known; a ValueError that names layer and argument."""
    if np.iterable(shape) and all(n is None or (isinstance(n, (int, np.integer)) and n >= 0) for n in shape):
        return tuple(None if n is None else int(n) for n in shape)
    raise ValueError(message("shape", layer=kind, name=name, received=repr(shape)))
