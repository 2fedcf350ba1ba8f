"""Operation: what a function of fastkeras.ops, or one of Python's operators, makes of symbolic tensors.

start = keras.Input((4,))
model = keras.Model(start, ops.tanh(start) * 2 + 1)
"""

import numpy as np

from fastkeras.core import nest, tensor
from fastkeras.core.tensor import SymbolicTensor, Tensor, source_of
from fastkeras.layers.arguments import Nth, replaced
from fastkeras.layers.layer import Layer
from fastkeras.utils import suggest
from fastkeras.utils.messages import message
from fastkeras.utils.naming import unique_name


class Operation(Layer):
    """y = operation(*arguments, **keywords)

    operation: a function of fastkeras.ops, or its name. arguments and keywords: what it is given, with the number of
    an input (Nth) where that tensor stands. Masks end here, as they do in Keras.
    """

    def __init__(self, operation, arguments=(), keywords=None, **kwargs):
        self.operation = operation if callable(operation) else _by_name(operation)
        super().__init__(**{"name": unique_name(_name_of(self.operation).rpartition(".")[2]), **kwargs})
        self.arguments = [_read(value) for value in arguments]
        self.keywords = {key: _read(value) for key, value in (keywords or {}).items()}

    def call(self, inputs):
        tensors = inputs if isinstance(inputs, list) else [inputs]
        arguments = [replaced(value, Nth, tensors.__getitem__) for value in self.arguments]
        keywords = {key: replaced(value, Nth, tensors.__getitem__) for key, value in self.keywords.items()}
        return self.operation(*arguments, **keywords)

    def get_config(self):
        config = {
            "operation": _name_of(self.operation),
            "arguments": [_written(value) for value in self.arguments],
            "keywords": {key: _written(value) for key, value in self.keywords.items()},
        }
        return {**super().get_config(), **config}


def on_symbols(function, arguments, keywords):
    """The symbolic result of an operation: a new call site's output."""
    given = nest.flat([arguments, keywords])
    found = []

    def number(symbol):
        found.append(symbol)
        return Nth(len(found) - 1)

    arguments = [replaced(value, SymbolicTensor, number) for value in arguments]
    keywords = {key: replaced(value, SymbolicTensor, number) for key, value in keywords.items()}
    if any(isinstance(item, Tensor) and source_of(item) is not None for item in given):
        raise TypeError(message("symbol_among_values", received=found[0]))
    layer = Operation(function, arguments, keywords)
    if all(symbol.dtype == "int32" for symbol in found):
        layer.input_dtype = "int32"
    return layer(found if len(found) > 1 else found[0])


tensor.operations_on_symbols(on_symbols)


# --- in files --------------------------------------------------------------------------------------------------------


def _named():
    """{name: operation}: those of fastkeras.ops, those that operators alone stand for, and the losses."""
    from fastkeras import losses, ops  # here, since most scripts need none

    names = vars(tensor) | vars(ops) | {f"losses.{name}": value for name, value in vars(losses).items()}
    return {name: value for name, value in names.items() if hasattr(value, "is_operation")}


def _by_name(name):
    found = _named()
    if name not in found:
        raise ValueError(suggest.unknown("operation", name, found))
    return found[name]


def _name_of(operation):
    return next((name for name, f in _named().items() if f is operation), operation.__name__)


def _written(value):
    """A value as JSON holds it; what JSON does not know is {kind: ...}."""
    if isinstance(value, Nth):
        return {"input": int(value)}
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, tuple):
        return {"tuple": [_written(item) for item in value]}
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return {"array": value.tolist(), "dtype": value.dtype.name}
    return np.dtype(value).name if isinstance(value, (type, np.dtype)) else value


def _read(value):
    """`_written`, undone."""
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value
    kinds = {
        "input": Nth,
        "slice": lambda bounds: slice(*bounds),
        "ellipsis": lambda _: Ellipsis,
        "tuple": lambda items: tuple(_read(item) for item in items),
        "array": lambda numbers: np.array(numbers, value.get("dtype")),
    }
    kind = next(iter(value), None)
    if kind not in kinds:
        raise ValueError(f"Operation: expected one of {', '.join(kinds)} in an argument. Received: {value}")
    return kinds[kind](value[kind])
