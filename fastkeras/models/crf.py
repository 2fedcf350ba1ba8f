"""CRFModel: a model that gives features for each step, with a CRF on top, in one call."""

from fastkeras import metrics as metric_module
from fastkeras.layers.crf import CRF
from fastkeras.models.model import Model


class CRFModel(Model):
    """CRFModel(base, units): the tagger that keras-crf's class of this name makes of a base model.

        base = Model(inputs, features)                                  # features (n, T, D)
        model = CRFModel(base, units)
        model.compile("adam", metrics="accuracy")                       # the loss is the CRF's
        model.fit(x, y, ...)                                            # y (n, T), the tags
        tags = model.predict(x)[0]                                      # (n, T)

    "accuracy", that of the tags, is reported as decode_sequence_accuracy. options: further arguments of layers.CRF.
    """

    def __init__(self, model, units, name=None, **options):
        super().__init__(model.inputs, CRF(units, **options)(model.output), name=name)

    def compile(self, optimizer="rmsprop", loss="crf", metrics=None, **options):
        """As Model's; the loss is the CRF's."""
        named = [metrics] if isinstance(metrics, str) else metrics or []
        found = [
            metric_module.SparseCategoricalAccuracy(name=f"decode_sequence_{metric}")
            if metric in ("acc", "accuracy")
            else metric
            for metric in named
        ]
        super().compile(optimizer, loss, found, **options)

    def predict(self, x, **options):
        """A list of one array: the best tags (n, T)."""
        return [super().predict(x, **options).argmax(axis=-1)]

    @classmethod
    def from_config(cls, config, custom_objects=None):
        base = Model.from_config(config, custom_objects)
        model = cls.__new__(cls)
        Model.__init__(model, base.inputs, base.outputs[0], name=base.name)
        return model
