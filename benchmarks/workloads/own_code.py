"""Layers and losses of the user's own, written in ops: what a whole step costs, and what each op costs beyond numpy."""

import numpy as np

from benchmarks.workload import Session, Training, Workload, seconds_per_call


class OwnLayers(Training):
    """A dense layer, an attention over the steps and a loss, each written in keras.ops."""

    rows = 64 * 16
    batch = 64
    peers = ("fastkeras", "tf", "jax", "torch")

    def __init__(self, steps, width):
        self.steps, self.width = steps, width
        self.name = f"own-layers-{width}"
        self.title = f"dense layer, attention and loss in ops, {steps} x {width}, sgd"

    def data(self):
        random = np.random.default_rng(0)
        x = random.standard_normal((self.rows, self.steps, self.width)).astype(np.float32)
        return {"x": x, "y": x.mean(axis=1)}

    def keras_model(self, keras):
        ops = keras.ops

        class OwnDense(keras.layers.Layer):
            def build(self, shape):
                self.w = self.add_weight(name="kernel", shape=(shape[-1], shape[-1]))
                self.b = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")

            def call(self, x):
                return ops.tanh(ops.matmul(x, self.w) + self.b)

        class OwnAttention(keras.layers.Layer):
            def build(self, shape):
                self.w = self.add_weight(name="kernel", shape=(shape[-1], 1))

            def call(self, x):
                share = ops.softmax(ops.matmul(x, self.w), axis=1)
                return ops.sum(share * x, axis=1)

        def loss(y, y_pred):
            return ops.mean(ops.square(y - y_pred), axis=-1)

        start = keras.Input(shape=(self.steps, self.width))
        model = keras.Model(start, OwnAttention()(OwnDense()(start)))
        model.compile(optimizer="sgd", loss=loss)
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.dense, self.score = nn.Linear(width, width), nn.Linear(width, 1)

            def forward(self, x):
                x = torch.tanh(self.dense(x))
                return (torch.softmax(self.score(x), dim=1) * x).sum(dim=1)

        model = Model(self.width)
        return model, torch.optim.SGD(model.parameters(), lr=0.01), nn.MSELoss()


class OwnArithmetic(Workload):
    """mean((tanh(x W + b) - y)^2) and its gradients for W and b: by a GradientTape, and in numpy by hand."""

    name = "own-arithmetic"
    title = "mean((tanh(x W + b) - y)^2) and its gradients"
    unit, per = "us", "call"
    peers = ("fastkeras", "numpy", "tf", "torch")
    cases = ("4 x 4", "32 x 8", "32 x 20 x 16", "128 x 784", "128 x 100 x 64")

    def start(self, library, path):
        ready = {}

        def measure(case):
            if case not in ready:
                shape = [int(n) for n in case.split(" x ")]
                random = np.random.default_rng(0)
                x, y = (random.standard_normal(shape).astype(np.float32) for _ in range(2))
                W = (random.standard_normal((shape[-1],) * 2) / np.sqrt(shape[-1])).astype(np.float32)
                ready[case] = STEPS[library.name](library.module, x, y, W, np.zeros(shape[-1], np.float32))
            return seconds_per_call(ready[case])

        return Session(measure)


# Calls without arguments that give (the loss, the gradient of W, the gradient of b).


def in_numpy(np, x, y, W, b):
    def step():
        h = np.tanh(x @ W + b)
        e = h - y
        dz = (2 / e.size) * e * (1 - h * h)
        rows = dz.reshape(-1, dz.shape[-1])
        return np.mean(e * e), x.reshape(-1, x.shape[-1]).T @ rows, rows.sum(axis=0)

    return step


def in_ops(keras, x, y, W, b):
    W, b, ops = keras.Variable(W), keras.Variable(b), keras.ops

    def step():
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(ops.tanh(ops.matmul(x, W) + b) - y))
        return loss, *tape.gradient(loss, [W, b])

    return step


def in_tensorflow(keras, x, y, W, b):
    import tensorflow as tf

    x, y, W, b = tf.constant(x), tf.constant(y), tf.Variable(W), tf.Variable(b)

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, W) + b) - y))
        return loss, *tape.gradient(loss, [W, b])

    return step


def in_torch(torch, x, y, W, b):
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    W, b = torch.from_numpy(W).requires_grad_(), torch.from_numpy(b).requires_grad_()

    def step():
        loss = torch.mean(torch.square(torch.tanh(x @ W + b) - y))
        return loss, *torch.autograd.grad(loss, [W, b])

    return step


STEPS = {"fastkeras": in_ops, "numpy": in_numpy, "tf": in_tensorflow, "torch": in_torch}
