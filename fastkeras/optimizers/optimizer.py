"""Optimizer: what all optimizers share.

To write one, subclass Optimizer and define

    slot_groups()               what it keeps for each variable, zero at first unless slot_start(name) says otherwise
    update(segment, numbers)    one step on a segment (see segment.py), usually one kernel call
    get_config()                the arguments of __init__

or, as in Keras 3, in fastkeras.ops and variable by variable (see by_variable.py),

    build(variables)            calls super().build(variables), then add_variable_from_reference for what it keeps
    update_step(gradient, variable, learning_rate)      one step on a variable, by assign, assign_add or assign_sub

The training loop has it built by `turn_to(variables)`, and calls `step()` after each backward pass.
"""

import inspect
import math
import re
import warnings
from typing import NamedTuple

import numpy as np

from fastkeras._kernels import optimizers as kernels
from fastkeras.core.variable import pack
from fastkeras.optimizers import by_variable, schedules
from fastkeras.optimizers.arguments import checked, counted, of_keras_2
from fastkeras.optimizers.learning_rate import LearningRate
from fastkeras.optimizers.segment import Segment, Slot, runs
from fastkeras.utils import suggest
from fastkeras.utils.naming import snake_case

# What configurations of tf_keras hold beyond ours: how it runs, not what it computes.
_IGNORED_IN_CONFIG = {"jit_compile", "is_legacy_optimizer"}


class Built(NamedTuple):
    """Variables that a step changes together: themselves, the segments they lie in, and those with a constraint."""

    variables: list
    segments: list
    constrained: list


class Optimizer:
    """The base of all optimizers.

    learning_rate: a number, a schedule (see fastkeras.optimizers.schedules), or a function of the step or of nothing.
    weight_decay: before each step every weight loses learning_rate * weight_decay of itself.
    clipnorm: the gradient of each variable is scaled down to this norm if it is longer.
    clipvalue: each element of the gradient is brought into [-clipvalue, clipvalue].
    global_clipnorm: all gradients together are scaled down to this norm. Only one of the three may be given. The
        gradient of an embedding row is summed over where the row was used before any of the three, as Keras on JAX
        does it; TensorFlow clips the parts.
    use_ema: a moving average of the weights is kept, average = ema_momentum * average + (1 - ema_momentum) * weight.
        It replaces the weights every `ema_overwrite_frequency` steps, and in `finalize_variable_values`.
    gradient_accumulation_steps: weights change in every n-th step only, by the mean of n gradients.
    loss_scale_factor: kept for files. Losses and gradients are float32 here, where scaling a loss up and its
        gradients down again changes nothing.
    name: what files call the optimizer.
    One optimizer may train several models, or parts of one: what it keeps belongs to each variable, and its iterations
    are those of all of them, as in Keras 2.
    Keras 2's `lr` is taken for learning_rate; its `decay` divides the learning rate by 1 + decay * iterations.
    """

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        **kwargs,
    ):
        owner = type(self).__name__
        learning_rate, self.decay = of_keras_2(owner, learning_rate, kwargs)
        if kwargs:
            raise TypeError(suggest.unknown(f"argument of {owner}", next(iter(kwargs)), self._arguments()))
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"{owner}: only one of `clipnorm`, `clipvalue` and `global_clipnorm` may be given. "
                f"Received: clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        self.name = name or snake_case(type(self).__name__)
        self._learning_rate = None
        self._set_learning_rate(learning_rate)
        self.weight_decay = checked(owner, "weight_decay", weight_decay, none=True)
        self.clipnorm = checked(owner, "clipnorm", clipnorm, 0, none=True)
        self.clipvalue = checked(owner, "clipvalue", clipvalue, 0, none=True)
        self.global_clipnorm = checked(owner, "global_clipnorm", global_clipnorm, 0, none=True)
        self.use_ema = bool(use_ema)
        self.ema_momentum = checked(owner, "ema_momentum", ema_momentum, 0, 1)
        self.ema_overwrite_frequency = counted(owner, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.loss_scale_factor = checked(owner, "loss_scale_factor", loss_scale_factor, 0, none=True)
        self.gradient_accumulation_steps = counted(owner, "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self.built = False
        self._batches = 0  # calls of step(): iterations, if gradients do not accumulate
        self._sets = []  # of variables, each in one Built; the last are those that `step` changes
        self._asked = None  # the list that `turn_to` was last given
        self._variables, self._segments, self._constrained, self._places = [], [], [], {}
        self._added, self._added_ever = [], {}  # by add_variable_from_reference, since `build` began, and ever
        self._excluded, self._excluded_names = frozenset(), None  # from weight decay: ids of variables, and a pattern

    @classmethod
    def _arguments(cls):
        names = {name for base in cls.__mro__[:-1] for name in inspect.signature(base.__init__).parameters}
        return names - {"self", "kwargs"}

    # --- the learning rate ---------------------------------------------------------------------------------------

    @property
    def learning_rate(self):
        """The learning rate of the next step, a number with numpy() and assign(). A new one can be set, unless a
        schedule gives it."""
        return LearningRate(self._rate(), self)

    @learning_rate.setter
    def learning_rate(self, value):
        if isinstance(self._learning_rate, schedules.LearningRateSchedule) and not callable(value):
            raise TypeError(
                f"{type(self).__name__}: the learning rate is given by a schedule and cannot be set to a number. "
                f"Received: learning_rate={value!r}"
            )
        self._set_learning_rate(value)

    lr = learning_rate  # Keras 2's name

    def _rate(self):
        rate = self._learning_rate
        if callable(rate):
            return float(rate(self._batches) if self._rate_takes_step else rate())
        return rate

    def _set_learning_rate(self, value):
        if isinstance(value, dict):
            value = schedules.deserialize(value)
        if not callable(value):
            value = checked(type(self).__name__, "learning_rate", value)
        self._rate_takes_step = callable(value) and len(inspect.signature(value).parameters) > 0
        self._learning_rate = value

    # --- variables -----------------------------------------------------------------------------------------------

    def build(self, variables):
        """Makes what the optimizer keeps for these variables, and has `step` change them. What it kept for any of them
        before stays, and so does what it keeps for others.

        variables: objects with float32 arrays `value` and `grad` of one shape, `name`, `path`, and a `constraint` or
        None. Those whose arrays lie side by side are updated together. To be called again if the set of variables
        or the place of their arrays changes.
        """
        pack(variables)
        kept, ids = {}, {id(v) for v in variables}
        for known in self._sets:
            for segment in known.segments:
                kept.update(segment.slot_views())
        others = []
        for known in self._sets:
            rest = [v for v in known.variables if id(v) not in ids]
            if len(rest) == len(known.variables) > 0:
                others.append(known)
            elif rest:
                others.append(self._built(rest, kept))
        self._sets = others
        self._use(self._built(variables, kept))
        self._added = []
        self.built = True

    def _built(self, variables, kept):
        """The Built of variables, with what was `kept` for any of them: {(slot name, id of the variable): array}."""
        names = [name for group in self._all_slot_groups() for name in group if name != "gradient_accumulator"]
        starts = {name: self.slot_start(name) for name in names}
        segments = [Segment(run, self._decay_of(run[0]), starts) for run in runs(variables, self._decay_of)]
        for segment in segments:
            for key, view in segment.slot_views().items():
                if key in kept and kept[key].shape == view.shape:
                    view[...] = kept[key]
        return Built(list(variables), segments, [v for v in variables if v.constraint is not None])

    def _use(self, built):
        self._sets = [known for known in self._sets if known is not built] + [built]
        self._variables, self._segments, self._constrained = built
        self._places = {id(v): i for i, v in enumerate(self._variables)}
        self._asked = None

    def turn_to(self, variables):
        """Has `step` change these variables from now on, with what was kept for them."""
        if variables is self._asked:
            return
        if not self.is_built_for(variables):
            known = next((known for known in self._sets if _same(known.variables, variables)), None)
            if known is None or self._steps_by_variable:
                self._build_anew(variables)
            else:
                self._use(known)
        self._asked = variables

    def _build_anew(self, variables):
        self.built = False  # where it is True, a `build` in Keras 3's style may do nothing
        self.build(variables)
        if not self.is_built_for(variables):
            raise ValueError(f"{type(self).__name__}: build(variables) must call super().build(variables)")

    def is_built_for(self, variables):
        """Whether these variables, and no others, are those that `step` changes."""
        return self.built and _same(self._variables, variables)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Weight decay leaves out the variables of `var_list`, and those with one of `var_names` in their name.

        var_names: strings, for example ["bias"]; each is a regular expression, as in Keras.
        """
        self._excluded = frozenset(id(variable) for variable in var_list or ())
        self._excluded_names = re.compile("|".join(var_names)) if var_names else None
        if self.built:
            for known in list(self._sets):
                self._build_anew(known.variables)

    def _decay_of(self, variable):
        excluded = id(variable) in self._excluded or (
            self._excluded_names is not None and self._excluded_names.search(variable.name)
        )
        return 0.0 if excluded or self.weight_decay is None else self.weight_decay

    def slot_groups(self):
        """The names of what is kept for each variable, in Keras 3's order: ((names that alternate), ...).

        (("m", "v"), ("w",)) stands for m and v of the first variable, m and v of the second, ..., w of the first, ...
        """
        return ()

    def slot_start(self, name):
        """The number that a slot is filled with before the first step."""
        return 0.0

    def legacy_slot_name(self, name):
        """What tf_keras calls a slot in its files."""
        return name

    def _all_slot_groups(self):
        groups = [("average",)] if self.use_ema else []
        if self.gradient_accumulation_steps:
            groups.append(("gradient_accumulator",))
        return [*groups, *self.slot_groups()]

    @property
    def slots(self):
        """All that is kept for variables, as a list of Slot in the order of Keras's files; the arrays are live."""
        views = {("gradient_accumulator", id(v)): v.grad for v in self._variables}
        for segment in self._segments:
            views.update(segment.slot_views())
        of_groups = [
            Slot(name, variable, views[name, id(variable)])
            for group in self._all_slot_groups()
            for variable in self._variables
            for name in group
        ]
        return of_groups + self._added

    @property
    def variables(self):
        """Everything that files hold, as a list of (name, array) in Keras 3's order: iteration, learning_rate unless a
        schedule gives it, the slots, and numbers that some optimizers add. The arrays of slots are live, the others
        are copies."""
        numbers = [("iteration", np.array(self._batches, np.int64))]
        if not callable(self._learning_rate):
            numbers.append(("learning_rate", np.array(self._learning_rate, np.float32)))
        return numbers + [(f"{s.variable.path.replace('/', '_')}_{s.name}", s.value) for s in self.slots]

    def state(self):
        """Copies of the arrays of `variables`."""
        return [array.copy() for _, array in self.variables]

    def set_state(self, arrays):
        """Restores what `state` gave; a ValueError, and nothing changed, if number or shapes do not fit."""
        arrays, variables = [np.asarray(a) for a in arrays], self.variables
        given, wanted = [a.shape for a in arrays], [array.shape for _, array in variables]
        if given != wanted:
            raise ValueError(f"{type(self).__name__}: expected a state of shapes {wanted}. Received: {given}")
        self._batches = int(arrays[0])
        if not callable(self._learning_rate) and np.float32(self._learning_rate) != arrays[1]:
            self._learning_rate = float(arrays[1])
        for (_, array), value in zip(variables, arrays, strict=True):
            array[...] = value

    # --- the step ------------------------------------------------------------------------------------------------

    @property
    def iterations(self):
        """How many times the variables have been updated."""
        return self._batches // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, value):
        self._batches = int(value) * (self.gradient_accumulation_steps or 1)

    def step(self):
        """Changes the variables by their gradients, and leaves the gradients zero.

        While gradients accumulate, nothing happens but for the last of `gradient_accumulation_steps` calls: the
        backward passes of the others have added to the gradients, which are left as they are.
        """
        count = self.gradient_accumulation_steps or 1
        if count == 1 or (self._batches + 1) % count == 0:
            rate = self._rate()
            if self.decay:
                rate /= 1.0 + self.decay * self.iterations
            scale, clip = 1.0 / count, math.inf
            if self.clipnorm or self.global_clipnorm or self.clipvalue:
                scale, clip = self._clip(scale)
            update = self._update_each if self._steps_by_variable else self.update
            for segment in self._segments:
                update(segment, (rate, scale, clip, segment.decay))
        if self.use_ema:
            self._average()
        for variable in self._constrained:
            variable.value[...] = variable.constraint(variable.value)
        self._batches += 1

    def apply_gradients(self, grads_and_vars):
        """One step by pairs (gradient, variable), as a GradientTape gives them with zip(gradients, variables)."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(gradients, variables)

    def apply(self, grads, trainable_variables=None):
        """One step by the gradients of these variables, by default of those of the step before.

        A variable whose gradient is None stays as it is.
        """
        variables = self._variables if trainable_variables is None else trainable_variables
        pairs = [(v, d) for v, d in zip(variables, grads, strict=True) if d is not None]
        if not pairs:
            raise ValueError(f"{type(self).__name__}: expected a gradient for at least one variable. Received: none")
        changed = [v for v, _ in pairs]
        self.turn_to(changed)
        for variable, gradient in pairs:
            variable.grad += np.asarray(gradient)
        self.step()

    def update(self, segment, numbers):
        """One step on a segment.

        numbers: (learning rate, scale, clip, decay), for a kernel: the gradient counts as scale * segment.grad,
        brought into [-clip, clip], and before the step segment.value loses learning rate * decay of itself.
        segment.grad must be left zero.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define update(segment, numbers), or update_step(gradient, variable, rate)"
        )

    def _clip(self, scale):
        """(scale, clip) as `update` takes them; the norms of variables are cut here."""
        if self.clipnorm:
            for segment in self._segments:
                kernels.clip_norms(segment.grad, segment.offsets, self.clipnorm / scale)
        elif self.global_clipnorm:
            norm = scale * math.sqrt(sum(kernels.square_sum(segment.grad) for segment in self._segments))
            if not math.isfinite(norm):
                return math.nan, math.inf  # as in Keras: no direction is right
            scale *= min(1.0, self.global_clipnorm / norm) if norm else 1.0
        return scale, self.clipvalue or math.inf

    # --- steps variable by variable, as in Keras 3 ---------------------------------------------------------------

    def update_step(self, gradient, variable, learning_rate):
        """One step on a variable by its gradient, a tensor: for subclasses that define it in place of `update`.

        gradient: float32, in the variable's shape, scaled and clipped; weight decay is done. learning_rate: a float.
        """
        raise NotImplementedError(f"{type(self).__name__} does not step variable by variable")

    @property
    def _steps_by_variable(self):
        return type(self).update_step is not Optimizer.update_step

    _update_each = by_variable.update_each
    add_variable_from_reference = by_variable.add_variable_from_reference
    add_optimizer_variables = by_variable.add_optimizer_variables
    _get_variable_index = by_variable.get_variable_index  # Keras's name: such an update_step calls it
    assign = by_variable.assign
    assign_add = by_variable.assign_add
    assign_sub = by_variable.assign_sub

    # --- the average of the weights ------------------------------------------------------------------------------

    def _average(self):
        iterations = self.iterations
        momentum = self.ema_momentum if iterations else 0.0
        for segment in self._segments:
            kernels.average(segment.slots["average"], segment.value, momentum)
        if self.ema_overwrite_frequency and (iterations + 1) % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values()

    def finalize_variable_values(self, variables=None):
        """Replaces the weights by their moving average, if there is one; to be called when training ends."""
        if self.use_ema and self._batches > 0:
            for segment in self._segments:
                np.copyto(segment.value, segment.slots["average"])

    # --- configuration and copies --------------------------------------------------------------------------------

    def get_config(self):
        """The arguments that make an equal optimizer: plain Python values, as files hold them."""
        rate = self._learning_rate
        config = {
            "name": self.name,
            "learning_rate": schedules.serialize(rate) if callable(rate) else rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }
        return {**config, "decay": self.decay} if self.decay else config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The optimizer that a configuration of Keras 2 or Keras 3 describes, without what it has kept."""
        config = {name: value for name, value in config.items() if name not in _IGNORED_IN_CONFIG}
        if "lr" in config:
            config["learning_rate"] = config.pop("lr")
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"], custom_objects)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file's `decay` is nobody's slip
            return cls(**config)

    def __getstate__(self):
        """Copies and pickles have the settings alone: what is kept belongs to variables, and `state` gives it."""
        lists = {name: [] for name in ("_sets", "_variables", "_segments", "_constrained", "_added")}
        others = {"_places": {}, "_added_ever": {}, "_asked": None, "_excluded": frozenset()}
        return {**vars(self), **lists, **others, "built": False, "_batches": 0}


def _same(variables, others):
    """Whether two lists hold the same variables in the same order."""
    return [id(v) for v in variables] == [id(v) for v in others]
