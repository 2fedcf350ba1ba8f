"""Callbacks: objects whose methods fit, evaluate and predict call on their way."""


class Callback:
    """The base: override the hooks you need. `model` and `params` are set before the first one is called."""

    def __init__(self):
        self.model = None
        self.params = {}

    def set_model(self, model):
        self.model = model

    def set_params(self, params):
        self.params = params

    def on_train_begin(self, logs=None):
        pass

    def on_train_end(self, logs=None):
        pass

    def on_epoch_begin(self, epoch, logs=None):
        pass

    def on_epoch_end(self, epoch, logs=None):
        pass

    def on_train_batch_begin(self, batch, logs=None):
        pass

    def on_train_batch_end(self, batch, logs=None):
        pass


class History(Callback):
    """What fit returns: `history`, a dict from each loss and metric to its values by epoch, and `epoch`."""

    def __init__(self):
        super().__init__()
        self.history = {}
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)


class CallbackList:
    """Several callbacks called as one."""

    def __init__(self, callbacks, model, epochs, verbose, steps):
        self.callbacks = callbacks
        for callback in callbacks:
            callback.set_model(model)
            callback.set_params({"epochs": epochs, "verbose": verbose, "steps": steps})
        self.wants_batches = any(
            type(c).on_train_batch_begin is not Callback.on_train_batch_begin
            or type(c).on_train_batch_end is not Callback.on_train_batch_end
            for c in callbacks
        )

    def __getattr__(self, hook):
        methods = [getattr(c, hook) for c in self.callbacks]

        def call(*args):
            for method in methods:
                method(*args)

        return call
