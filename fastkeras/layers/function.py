"""Lambda: a function in ops as a layer."""

import numpy as np

from fastkeras.layers.layer import Layer
from fastkeras.utils.custom_objects import get_registered_object


class Lambda(Layer):
    """y = function(x, **arguments), computed with fastkeras.ops.

    function: of a tensor, or of a list of them. output_shape: of one sample, or a function of the input's shape; it is
    found by trying if it is left out. mask: that of the output, or a function of (x, mask). arguments: what else the
    function is given.

    Files hold the function's name, never its code: loading takes custom_objects or register_keras_serializable.
    """

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        self.function = get_function(function)
        if arguments is not None and not isinstance(arguments, dict):
            raise TypeError(f"Lambda: `arguments` must be a dict of keyword arguments. Received: {arguments!r}")
        self.arguments = dict(arguments or {})
        self._output_shape, self._mask = output_shape, mask
        self.supports_masking = mask is None

    def call(self, inputs):
        return self.function(inputs, **self.arguments)

    def compute_output_shape(self, input_shape):
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        batch = (input_shape[0] if isinstance(input_shape, list) else input_shape)[0]
        return (batch, *self._output_shape)

    def compute_mask(self, x, mask=None):
        if self._mask is None:
            return super().compute_mask(x, mask)
        return self._mask(x, mask) if callable(self._mask) else np.asarray(self._mask, bool)

    def get_config(self):
        if self.function.__name__ == "<lambda>":
            raise ValueError(
                f"Layer '{self.name}': files hold functions by their names, and a lambda has none. Define it with "
                "`def`, and give it to custom_objects when you load the model."
            )
        if callable(self._output_shape) or self._mask is not None:
            raise ValueError(
                f"Layer '{self.name}': `output_shape` as a function and `mask` are not kept in files. Received: "
                f"output_shape={self._output_shape!r}, mask={self._mask!r}"
            )
        config = {"function": self.function.__name__, "output_shape": self._output_shape, "arguments": self.arguments}
        return {**super().get_config(), **config}


def get_function(identifier):
    """The function itself, or that of the user's own with this name."""
    if callable(identifier):
        return identifier
    if isinstance(identifier, dict):  # Keras 3 writes {"class_name": "function", "config": name} or compiled code
        identifier = identifier.get("config")
    found = get_registered_object(identifier) if isinstance(identifier, str) else None
    if found is None:
        raise ValueError(
            "Lambda: expected a function, or the name of one in custom_objects or register_keras_serializable. Code in "
            f"files is never run. Received: {identifier!r}"
        )
    return found
