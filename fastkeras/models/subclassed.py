"""Models of the user's own that define `call`: a graph of one call site, whose layer runs the model's `call`."""

from fastkeras.layers import calling
from fastkeras.layers.inside import among, is_layer
from fastkeras.layers.layer import Layer


class Body(Layer):
    """What a model's `call` computes, as a layer; the layers inside it are the model's attributes.

    dtype: what the model's first data were, float32 or int32; later ones may be either.
    """

    input_dtype = "number"

    def __init__(self, model, dtype):
        super().__init__(name=model.name)
        self.model, self.trial_dtype = model, dtype
        self.takes_list = model.takes_list

    @property
    def call(self):
        return self.model.call

    def keep_losses(self, losses):
        self.model.keep_losses(losses)

    def build(self, input_shape):
        self.model.ensure_built(input_shape)

    def compute_output_shape(self, input_shape):
        return calling.output_shape(self, input_shape)

    @property
    def own_trainable_variables(self):
        return self.model.own_trainable_variables

    @property
    def own_frozen_variables(self):
        return self.model.own_frozen_variables

    def sublayers(self):
        return among(vars(self.model), is_layer)
