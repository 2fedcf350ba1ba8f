"""Models of the user's own that define `call`: a graph of one call site, whose layer runs the model's `call`."""

from fastkeras.layers.inside import among, is_layer
from fastkeras.layers.layer import Layer


class Body(Layer):
    """What a model's `call` computes, as a layer; the layers inside it are the model's attributes."""

    def __init__(self, model):
        super().__init__(name=f"{model.name}_call")
        self.model = model

    @property
    def call(self):
        return self.model.call

    @property
    def own_trainable_variables(self):
        return self.model.own_trainable_variables

    @property
    def own_frozen_variables(self):
        return self.model.own_frozen_variables

    def sublayers(self):
        return among(vars(self.model), is_layer)
