"""What is measured. A workload is a class with a name, its data, and `start`, which each peer calls in its own process.

Most workloads are a training: they say which data, and the model once for Keras (fastkeras, tf.keras, tf_keras and
Keras on JAX share one interface) and once for PyTorch, and `Training` does the rest:

    class TinyMLP(Training):
        name = "tiny-mlp"
        title = "tiny MLP 4-8-1, rmsprop"
        batch = 32

        def data(self): return {"x": ..., "y": ...}             # numpy arrays, made once and the same for all
        def keras_model(self, keras): ...                       # a compiled model
        def torch_model(self, torch): return model, optimizer, loss
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks import machine
from benchmarks.libraries import TRAINERS

SLICE = 0.25  # seconds that a measurement lasts, at the least


@dataclass(frozen=True)
class Session:
    """A workload that is ready in one peer's process.

    measure: case -> seconds per unit of work. first: seconds of the first epoch or call, building and tracing included,
    which does `units` of the work. losses: () -> of all epochs trained so far. memory: () -> the most bytes held.
    """

    measure: Callable
    first: float | None = None
    units: int = 1
    losses: Callable = list
    memory: Callable = machine.peak_memory


class Workload:
    """name: on the command line. title: in tables. batch: rows of a batch, if it has any.

    unit, per: what is measured, such as "ms" a "step"; per is None where the whole work is timed.
    peers: who can do it. cases: what is measured, one row of the table each. most_rounds: for work that takes long.
    axis: what grows from case to case, where one model is measured at several sizes.
    goal: how many times as fast as its fastest peer fastkeras is meant to be. limit: the seconds it may take, or None.
    """

    name = title = batch = None
    unit, per = "ms", "step"
    peers = TRAINERS
    cases = ("",)
    axis = None
    most_rounds = math.inf
    goal, limit = 1.0, None

    def data(self):
        """{name: numpy array}, made once by the parent and read by every peer."""
        return {}

    def start(self, library, path):
        """Gets ready in a peer's process: returns a Session. path: of the .npz file that holds the data."""
        raise NotImplementedError

    def chosen(self, texts):
        """The cases that hold one of these texts."""
        return [case for case in self.cases if any(text in case for text in texts)]

    def x(self, case):
        """Where the case is on the axis, or None."""
        return

    def flops(self, case):
        """Floating-point operations of one unit of work, where they are counted, or None."""
        return


def seconds_per_call(call, least=SLICE):
    """The median time of many calls, or of groups of calls where one is too short for the clock."""
    begin = time.perf_counter()
    call()
    group = max(1, int(50e-6 / max(time.perf_counter() - begin, 1e-7)))
    times = []
    end = time.perf_counter() + least
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        for _ in range(group):
            call()
        times.append((time.perf_counter() - begin) / group)
    return median(times)


def repeated(call):
    """A function that calls n times, after a first call that prepares what it needs."""
    call()

    def calls(n):
        for _ in range(n):
            call()

    return calls


class Training(Workload):
    """A training step inside fit: the time of whole epochs, from the second of a fit on, divided by their steps.

    The rows come in the same order in every epoch and for every peer, and the first weights are the same for all: the
    losses of the epochs show that all do the same work. They agree but for dropout, for PyTorch's RMSprop (which adds
    epsilon to the root, not under it), and for an Embedding under an adaptive optimizer in Keras 3 on TensorFlow (which
    sums the squares of a repeated row's gradients, not their sum's square).
    """

    def keras_model(self, keras):
        """A compiled model. keras: the module, whichever of the four it is."""
        raise NotImplementedError

    def torch_model(self, torch):
        """(model, optimizer, loss function) as somebody who uses PyTorch writes them."""
        raise NotImplementedError

    def start(self, library, path):
        with np.load(path) as arrays:
            x, y = arrays["x"], arrays["y"]
        begin = time.perf_counter()
        trainer = trainer_of(self, library, x, y)
        trainer.first_epoch()
        return Session(trainer.measure, time.perf_counter() - begin, trainer.steps, lambda: trainer.losses)

    def again(self, keras, rows=None):
        """Does the work once in this process, with the first `rows` rows or all: returns (a function that does it n
        times more, the steps of one time)."""
        arrays = self.data()
        trainer = KerasTrainer(self, keras, *(arrays[name][:rows] for name in ("x", "y")))
        trainer.first_epoch()
        return trainer.fit, trainer.steps


def trainer_of(training, library, x, y):
    """Builds the training's model in the library, with the weights that all libraries start from."""
    return (TorchTrainer if library.name == "torch" else KerasTrainer)(training, library.module, x, y)


class Trainer:
    """Trains a workload's model in one library; a library says how with `first_epoch` and `epochs_time`.

    losses: of every epoch trained so far.
    """

    def __init__(self, workload, x, y):
        self.batch = workload.batch
        self.x, self.y = x, y
        self.steps = math.ceil(len(x) / self.batch)
        self.epochs = None
        self.losses = []

    def measure(self, case):
        if self.epochs is None:
            seconds = self.epochs_time(1)
            self.epochs = max(1, math.ceil(SLICE / seconds))
            if self.epochs == 1:
                return seconds / self.steps
        return self.epochs_time(self.epochs) / (self.epochs * self.steps)


class KerasTrainer(Trainer):
    def __init__(self, workload, keras, x, y):
        super().__init__(workload, x, y)
        self.model = workload.keras_model(keras)
        set_keras_weights(self.model)

        class Clock(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.ends = []

            def on_epoch_end(self, epoch, logs=None):
                self.ends.append(time.perf_counter())

        self.clock = Clock()

    def fit(self, epochs):
        history = self.model.fit(
            self.x,
            self.y,
            batch_size=self.batch,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[self.clock],
        ).history
        self.losses += map(float, history["loss"])

    def first_epoch(self):
        self.fit(1)

    def epochs_time(self, n):
        """Seconds of n epochs, the second of a fit and those after it."""
        self.fit(1 + n)
        return self.clock.ends[-1] - self.clock.ends[0]


class TorchTrainer(Trainer):
    def __init__(self, workload, torch, x, y):
        super().__init__(workload, torch.from_numpy(x), torch.from_numpy(y))
        self.model, self.optimizer, self.loss = workload.torch_model(torch)
        set_torch_weights(torch, self.model)

    def epoch(self):
        """Trains one epoch; its loss is the mean over the rows."""
        self.model.train()
        total = 0.0
        for start in range(0, len(self.x), self.batch):
            x, y = self.x[start : start + self.batch], self.y[start : start + self.batch]
            self.optimizer.zero_grad()
            loss = self.loss(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(x)
        self.losses.append(total / len(self.x))

    def first_epoch(self):
        self.epoch()

    def epochs_time(self, n):
        """Seconds of n epochs."""
        begin = time.perf_counter()
        for _ in range(n):
            self.epoch()
        return time.perf_counter() - begin


class FirstWeights:
    """Called with the shapes of a model's kernels in Keras's order, gives the same values in every process."""

    def __init__(self):
        self.random = np.random.default_rng(0)

    def __call__(self, shape):
        """Normal with the standard deviation 1 / sqrt(inputs)."""
        scale = 1 / math.sqrt(math.prod(shape[:-1]))
        return (scale * self.random.standard_normal(shape)).astype(np.float32)


def set_keras_weights(model):
    """Gives a Keras model the weights of FirstWeights, zeros for biases, and normalizations that change nothing."""
    values, weights = FirstWeights(), []
    for w in model.weights:
        shape = tuple(w.shape)
        if any(word in w.name for word in ("bias", "beta", "moving_mean")):
            weights.append(np.zeros(shape, np.float32))
        elif any(word in w.name for word in ("gamma", "moving_variance")):
            weights.append(np.ones(shape, np.float32))
        else:
            weights.append(values(shape))
    model.set_weights(weights)


def set_torch_weights(torch, model):
    """Gives a PyTorch model the weights that `set_keras_weights` gives to the Keras model of the same layers."""
    values, nn = FirstWeights(), torch.nn

    def kernel(outputs, inputs):
        return torch.from_numpy(values((inputs, outputs)).T)

    def gates(mode, W):
        """Keras's gates z r h as PyTorch's r z h; those of an LSTM are i f c o in both."""
        return torch.cat([W.chunk(3)[i] for i in (1, 0, 2)]) if mode == "GRU" else W

    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.copy_(kernel(*layer.weight.shape))
                layer.bias.zero_()
            elif isinstance(layer, (nn.Conv1d, nn.Conv2d)):
                outputs, inputs, *window = layer.weight.shape
                layer.weight.copy_(torch.from_numpy(values((*window, inputs, outputs))).movedim((-1, -2), (0, 1)))
                layer.bias.zero_()
            elif isinstance(layer, nn.Embedding):
                layer.weight.copy_(torch.from_numpy(values(tuple(layer.weight.shape))))
            elif isinstance(layer, nn.RNNBase):
                for name, weight in layer.named_parameters():  # weight_ih, weight_hh, the biases; then the other way
                    weight.copy_(gates(layer.mode, kernel(*weight.shape)) if weight.ndim == 2 else 0 * weight)
                    if name.startswith("bias_hh") and layer.mode != "GRU":
                        weight.requires_grad_(False)  # Keras has one bias here
            elif isinstance(layer, nn.MultiheadAttention):  # its out_proj is a Linear, which comes next
                D, heads = layer.embed_dim, layer.num_heads
                parts = [torch.from_numpy(values((D, heads, D // heads)).reshape(D, D).T) for _ in range(3)]
                layer.in_proj_weight.copy_(torch.cat(parts))
                layer.in_proj_bias.zero_()
            elif isinstance(layer, (nn.LayerNorm, nn.BatchNorm1d)):
                layer.reset_parameters()
            elif next(layer.parameters(recurse=False), None) is not None:
                raise TypeError(f"set_torch_weights does not know the layer {layer}")
