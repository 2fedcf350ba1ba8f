"""Callbacks fed with values by hand: what they do with each, without a training."""

import fastkeras as keras
from fastkeras.training.loop import Course


class Weights:
    """Stands for a model: its weights are a number, and it remembers where it was saved."""

    def __init__(self):
        self.weights, self.saved, self.stop_training = [0.0], [], False
        self.optimizer = keras.optimizers.SGD(1.0)
        self.course = Course(None, 0)
        self.course.finished = True

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = list(weights)

    def save(self, path):
        self.saved.append(("save", path))

    def save_weights(self, path):
        self.saved.append(("save_weights", path))


def run(callback, series, name="val_loss", epochs=None):
    """Feeds one value per epoch to the callback (None: the value is missing); the weights are the epoch's number.

    Returns the model, and the learning rate after each epoch.
    """
    model, rates = Weights(), []
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(series):
        callback.on_epoch_begin(epoch, {})
        model.weights = [float(epoch)]
        callback.on_epoch_end(epoch, {"loss": 0.0} if value is None else {name: value})
        rates.append(model.optimizer.learning_rate)
        if model.stop_training:
            break
    callback.on_train_end({})
    return model, rates
