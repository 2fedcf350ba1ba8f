"""Models of dense layers: what a learner trains first."""

import time

import numpy as np

from benchmarks import data
from benchmarks.workload import Session, Training, repeated, seconds_per_call


class TinyMLP(Training):
    name = "tiny-mlp"
    title = "tiny MLP 4-8-1, rmsprop"
    goal = 10
    batch = 32
    rows = 32 * 1000

    def data(self):
        """Is it an Iris virginica? The 150 flowers, many times over."""
        x, species = data.iris()
        y = (species == 2).astype(np.float32)[:, None]
        return {"x": data.repeated(x, self.rows), "y": data.repeated(y, self.rows)}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(4,)),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="rmsprop", loss="binary_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
        return model, optimizer, nn.BCEWithLogitsLoss()


class LinearRegression(Training):
    name = "linear-regression"
    title = "linear regression, sgd"
    goal = 10
    batch = 1
    rows = 1500

    def data(self):
        """The width of an iris's petal from its length."""
        x, _ = data.iris()
        return {"x": data.repeated(x[:, 2:3], self.rows), "y": data.repeated(x[:, 3:4], self.rows)}

    def keras_model(self, keras):
        model = keras.Sequential([keras.Input(shape=(1,)), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
        return model

    def torch_model(self, torch):
        model = torch.nn.Linear(1, 1)
        return model, torch.optim.SGD(model.parameters(), lr=0.01), torch.nn.MSELoss()


class DigitsMLP(Training):
    name = "mnist-mlp"
    title = "MNIST MLP 784-512-512-10, dropout, rmsprop"
    goal = 1.5
    batch = 128
    rows = 128 * 156

    def data(self):
        x, y = data.digits()
        return {"x": data.repeated(x, self.rows), "y": data.repeated(y, self.rows)}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(784,)),
                keras.layers.Dense(512, activation="relu"),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(512, activation="relu"),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn
        model = nn.Sequential(
            nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(512, 10),
        )  # fmt: skip
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
        return model, optimizer, nn.CrossEntropyLoss()


class WideMLP(DigitsMLP):
    name = "wide-mlp"
    title = "MNIST MLP 784-2048-2048-10, adam"
    goal = 1
    rows = 128 * 16

    def keras_model(self, keras):
        layers = [keras.layers.Dense(2048, activation="relu") for _ in range(2)]
        model = keras.Sequential([keras.Input(shape=(784,)), *layers, keras.layers.Dense(10, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn
        model = nn.Sequential(nn.Linear(784, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 10))
        return model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7), nn.CrossEntropyLoss()


class OneRow(TinyMLP):
    """The tiny MLP with a single row, again and again."""

    per = "call"
    batch = 1
    rows = 1
    goal = 1

    def start(self, library, path):
        with np.load(path) as arrays:
            x, y = arrays["x"], arrays["y"]
        begin = time.perf_counter()
        make = self.torch_call if library.name == "torch" else self.keras_call
        call = make(library.module, x, y)
        call()
        return Session(lambda case: seconds_per_call(call), time.perf_counter() - begin)

    def again(self, keras, rows=None):
        return repeated(self.keras_call(keras, **self.data())), 1

    def keras_call(self, keras, x, y):
        """A function of no arguments that does the work once."""
        raise NotImplementedError

    def torch_call(self, torch, x, y):
        raise NotImplementedError


class TrainOneRow(OneRow):
    """model.train_on_batch of a single row; PyTorch's is the loop that its users write."""

    name = "train-one-row"
    title = "train_on_batch() of one row, tiny MLP"

    def keras_call(self, keras, x, y):
        model = self.keras_model(keras)
        return lambda: model.train_on_batch(x, y)

    def torch_call(self, torch, x, y):
        model, optimizer, loss = self.torch_model(torch)

        def call():
            optimizer.zero_grad()
            error = loss(model(torch.from_numpy(x)), torch.from_numpy(y))
            error.backward()
            optimizer.step()
            return error.item()

        return call


class PredictOneRow(OneRow):
    """model.predict of a single row; PyTorch has no predict, so there it is the bare module."""

    name = "predict-one-row"
    title = "predict() of one row, tiny MLP"
    limit = 20e-6

    def keras_call(self, keras, x, y):
        model = self.keras_model(keras)
        return lambda: model.predict(x, verbose=0)

    def torch_call(self, torch, x, y):
        model, _, _ = self.torch_model(torch)
        model.eval()

        def call():
            with torch.no_grad():
                return torch.sigmoid(model(torch.from_numpy(x))).numpy()

        return call
