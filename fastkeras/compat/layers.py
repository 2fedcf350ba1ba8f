"""Layers under their names and with their arguments of Keras 1 and 2."""

import functools

from fastkeras import layers, models
from fastkeras.compat import notices
from fastkeras.compat.words import say_without_effect
from fastkeras.layers import core, legacy

# Made by a function that says what the layer is called now. Convolution2D is still a name; what it takes has changed.
_NOW = {**legacy.CLASSES, "Convolution2D": "Conv2D"}

_IDLE = legacy.IDLE | {"mode"}  # that of BatchNormalization

__all__ = ["InputSpec", "Merge", "merge", *_NOW]


class InputSpec:
    """What a layer of the script's own may say of its inputs. It is kept, and checked by the layer's own code alone."""

    def __init__(self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None, **more):
        self.dtype, self.shape, self.axes = dtype, shape, axes or {}
        self.ndim = len(shape) if ndim is None and shape is not None else ndim
        self.min_ndim, self.max_ndim = min_ndim, max_ndim


def teach():
    """Makes every layer take its old arguments, too, and layers of the script's own say what their weights are."""
    layers.Layer.trainable_weights = property(layers.Layer.trainable_weights.fget, _set_trainable_weights)
    for name in layers.__all__:
        if isinstance(getattr(layers, name), type):
            _teach(getattr(layers, name))


def _teach(cls):
    init = cls.__init__

    @functools.wraps(init)
    def understanding(self, *args, **kwargs):
        if kwargs and not kwargs.keys() <= _arguments(cls):
            kwargs = _translated(cls.__name__, kwargs)
        if kwargs.get("batch_input_shape") is not None and notices.called_by_script():
            shape = tuple(kwargs["batch_input_shape"])
            text = f"batch_input_shape={shape} is keras.Input(batch_shape={shape}) before the layer now."
            notices.say(text, "batch_input_shape")
        init(self, *args, **kwargs)

    cls.__init__ = understanding


def _set_trainable_weights(layer, variables):
    """As layers of Keras 1 did in `build`."""
    notices.say("self.trainable_weights = [...] is self.add_weight(name, shape, initializer) for each now.")
    for variable in variables:
        if not any(variable is known for known in layer.weights):
            layer._own(variable)


@functools.cache
def _arguments(cls):
    return cls._arguments()


def _translated(name, given):
    now = legacy.in_todays_words(name, given)
    if "batch_input_shape" in now.keys() - given.keys():
        now["input_shape"] = tuple(now.pop("batch_input_shape")[1:])
    if given.get("inner_activation") == "hard_sigmoid":
        now["recurrent_activation"] = "legacy_hard_sigmoid"  # Keras 1's, 0.2 x + 0.5
    gone = [word for word in given if word not in now]
    for word in _IDLE.intersection(gone):
        say_without_effect(name, word)
    then = [word for word in gone if word not in _IDLE]
    if then:
        come = [word for word in now if word not in given]
        notices.say(f"{name}({_listed(then, given)}) is {name}({_listed(come, now)}) now.", *then)
    return now


def _listed(words, values):
    return ", ".join(f"{word}={_short(values[word])}" for word in words)


def _short(value):
    text = repr(value)
    return "..." if len(text) > 40 or text.startswith("<") else text


def _make(name, *args, **kwargs):
    """The layer that `name` is called now. Keras 1's Convolution2D(n, r, c) had the kernel's sides one by one."""
    now = _NOW[name]
    if len(args) > 2 and isinstance(args[1], int) and isinstance(args[2], int):
        n, r, c = args[:3]
        notices.say(f"{name}({n}, {r}, {c}) is {now}({n}, ({r}, {c})) now.", name)
        args = (n, (r, c), *args[3:])
    elif name != "Convolution2D":
        notices.say(f"{name} is {now} now.", name)
    return getattr(layers, now)(*args, **kwargs)


def __getattr__(name):
    if name in _NOW:
        return functools.partial(_make, name)
    raise AttributeError(name)


def merge(inputs, mode="sum", concat_axis=-1, dot_axes=-1, output_shape=None, name=None):
    """Keras 1's function for all ways to merge tensors: mode "sum", "mul", "ave", "max", "concat", "dot" or "cos"."""
    layer = _merging(mode, concat_axis, dot_axes, name)
    notices.say(
        f"merge(inputs, mode={mode!r}) is keras.layers.{type(layer).__name__}(...)(inputs) now.", f"merge {mode}"
    )
    return layer(inputs)


def Merge(layers=None, mode="sum", concat_axis=-1, dot_axes=-1, output_shape=None, name=None, **shapes):
    """Keras 1's layer for all ways to merge: Merge(mode="concat")([a, b]), or Merge([a, b], mode="concat") for models
    that it joins, the first layer of a Sequential: a Model of all their inputs here."""
    if layers is None:
        return lambda inputs: merge(inputs, mode, concat_axis, dot_axes, output_shape, name)
    layer = _merging(mode, concat_axis, dot_axes, None)
    branches = [branch if isinstance(branch, models.Model) else models.Sequential([branch]) for branch in layers]
    starts, ends = [], []
    for branch in branches:
        branch.require_graph()
        start = [core.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in branch.inputs]
        ends.append(branch(start if len(start) > 1 else start[0]))
        starts += start
    notices.say(
        f"Merge([a, b], mode={mode!r}) is keras.Model([a.input, b.input], keras.layers.{type(layer).__name__}(...)"
        "([a.output, b.output])) now.",
        f"Merge {mode}",
    )
    return models.Model(starts, layer(ends), name=name)


def _merging(mode, concat_axis, dot_axes, name):
    """The layer that merges in a mode of Keras 1."""
    if callable(mode):
        raise TypeError(f"merge: write a Lambda layer for a mode of your own. Received: mode={mode!r}")
    now, config = legacy.merged({"mode": mode, "concat_axis": concat_axis, "dot_axes": dot_axes, "name": name})
    return getattr(layers, now)(**config)
