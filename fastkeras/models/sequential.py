"""Sequential: a chain of layers."""

from fastkeras.core.tensor import SymbolicTensor
from fastkeras.layers.config import reading
from fastkeras.layers.core import InputLayer
from fastkeras.layers.layer import Layer
from fastkeras.models.config import chain_from_config, chain_to_config
from fastkeras.models.model import Model
from fastkeras.utils.messages import message


class Sequential(Model):
    """Layers one after another: Sequential([Dense(8, input_shape=(4,)), Dense(1)]), or add() them.

    If the first layer is told its input's shape (or is an Input), each layer is built as it is added; else all are
    when the model first sees data, or at build(input_shape). A Model that comes first may have several inputs.
    """

    is_own = False

    def __init__(self, layers=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self._chain = []
        self._input = None  # a symbolic tensor, or a list of them
        for layer in [layers] if isinstance(layers, (Layer, SymbolicTensor)) else layers or []:
            self.add(layer)

    @property
    def layers(self):
        """The layers in order, without an Input."""
        return list(self._chain)

    @property
    def input_dtype(self):
        """What arrays are converted to: until the chain is built, as its first layer takes them."""
        waits = self.graph is None and self._chain
        return self._chain[0].input_dtype if waits else super().input_dtype

    def add(self, layer):
        """Appends a layer (or, at the start, an Input)."""
        if isinstance(layer, SymbolicTensor):
            self._set_input(layer)
        elif isinstance(layer, InputLayer):
            self._set_input(layer.output)
        elif isinstance(layer, Layer):
            self._append(layer)
        else:
            raise TypeError(message("no_layer", received=repr(layer)))

    def _set_input(self, tensor):
        if self._chain or self._input is not None:
            raise ValueError(f"Sequential '{self.name}': an Input must come first, and once. Received: {tensor}")
        self._input = tensor

    def _append(self, layer):
        if any(layer.name == other.name for other in self._chain):
            raise ValueError(message("two_of_one_name", model=self.name, received=layer.name))
        start = self._input
        if start is None and not self._chain:
            start = _start_of(layer)
        if start is not None:
            output = layer(self.outputs[0] if self._chain else start)
            self._input = start
            self._chain.append(layer)
            self._set_graph(_as_list(start), [output])
        else:
            self._chain.append(layer)

    def add_loss(self, loss):
        """A ValueError, since no tensor of a chain is at hand to make a loss of."""
        raise ValueError(
            f"Sequential '{self.name}' is a chain: make a Model(inputs, outputs) to add a loss to. Received: {loss!r}"
        )

    def pop(self, rebuild=True):
        """Removes the last layer and returns it. rebuild: accepted for Keras's sake; what remains is always built."""
        if not self._chain:
            raise TypeError(f"Sequential '{self.name}' has no layers to remove.")
        layer = self._chain.pop()
        if self.graph is not None:
            site = self.graph.sites[-1]
            layer.sites.remove(site)
            if self._chain:
                self._set_graph(_as_list(self._input), site.inputs)
            else:
                self.graph, self.built = None, False  # the input stays
        return layer

    def build(self, input_shape=None):
        """Builds all layers for inputs of this shape, batch axis included (None where an extent may vary)."""
        if self.graph is not None or not self._chain:
            return
        if input_shape is None:
            self.require_graph()
        self._build_chain(input_shape, declared=True)

    def _build_chain(self, shape, declared):
        """Calls each layer on the one before it; if one cannot be built, none keeps a call site."""
        first = self._chain[0]
        start = tensor = SymbolicTensor((None, *shape[1:]), first.input_dtype, f"{first.name}_input", declared=declared)
        called = []
        try:
            for layer in self._chain:
                tensor = layer(tensor)
                called.append(layer)
        except Exception:
            for layer in called:
                layer.sites.pop()
            raise
        self._input = start
        self._set_graph([start], [tensor])

    def build_for(self, x_shapes, dtypes=None):
        """Makes sure the layers are built, for an input of the first of these shapes."""
        if not self._chain:
            raise ValueError(message("no_layers", model=self.name))
        if self.graph is None:
            self._build_chain(x_shapes[0], declared=False)

    def get_config(self):
        """The layers in order, as plain Python values; see models/config.py."""
        return chain_to_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` describes, here or in Keras, with fresh weights.

        config: a dictionary, or as in old files only the list of layers. custom_objects: as for Model.
        """
        config = {"layers": config} if isinstance(config, list) else config
        with reading("The configuration", custom_objects):
            model = cls(name=config.get("name"))
            chain_from_config(model, config)
        model._trainable = config.get("trainable") is not False
        return model

    def __setstate__(self, state):
        super().__setstate__(state)
        if self.graph is not None:
            self._input = self.inputs[0] if len(self.inputs) == 1 else self.inputs

    def compute_output_shape(self, input_shape):
        shape = input_shape
        for layer in self._chain:
            shape = layer.compute_output_shape(shape)
        return shape


def _start_of(layer):
    """What the first layer is called on: a symbolic tensor, of a model with several inputs a list, None if no shape is
    known."""
    if layer.batch_input_shape is None and isinstance(layer, Model) and layer.graph:
        if len(layer.inputs) > 1:
            return [SymbolicTensor(tensor.shape, tensor.dtype, tensor.name) for tensor in layer.inputs]
        shape = layer.input_shape
    else:
        shape = layer.batch_input_shape
    return None if shape is None else SymbolicTensor(shape, layer.input_dtype, f"{layer.name}_input")


def _as_list(start):
    return start if isinstance(start, list) else [start]
