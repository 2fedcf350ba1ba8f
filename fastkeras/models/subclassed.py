"""Models of the user's own that define `call`: a graph of one call site, whose layer runs the model's `call`."""

from fastkeras.layers import calling
from fastkeras.layers.layer import Layer


class Body(Layer):
    """What a model's `call` computes, as a layer that has the model inside it. Numbers may be integers or not,
    whatever the model's first data were."""

    input_dtype = "number"

    def __init__(self, model):
        super().__init__(name=model.name)
        self.model, self.takes_list = model, model.takes_list

    @property
    def call(self):
        return self.model.call

    def keep_losses(self, losses):
        self.model.keep_losses(losses)

    def build(self, input_shape):
        self.model.ensure_built(input_shape)

    def compute_output_shape(self, input_shape):
        return calling.output_shape(self, input_shape)

    def sublayers(self):
        return [self.model]
