"""One kind of layer at a time, at the sizes of working networks. The rows are random: no layer here skips any."""

import numpy as np

from benchmarks.workload import Training

CLASSES = 10


class Block(Training):
    """A small model around the layers that are measured; its rows have the shape `shape`."""

    batch = 32
    rows = 32 * 8

    def data(self):
        random = np.random.default_rng(0)
        x = random.standard_normal((self.rows, *self.shape)).astype(np.float32)
        return {"x": x, "y": random.integers(0, CLASSES, self.rows)}

    def keras_model(self, keras):
        layers = keras.layers
        start = keras.Input(shape=self.shape)
        end = self.keras_layers(layers, start)
        mean = layers.GlobalAveragePooling2D() if len(self.shape) == 3 else layers.GlobalAveragePooling1D()
        model = keras.Model(start, layers.Dense(CLASSES, activation="softmax")(mean(end)))
        model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self, block):
                super().__init__()
                self.block, self.dense = block, nn.Linear(block.width, CLASSES)

            def forward(self, x):
                y = self.block(x)
                return self.dense(y.mean(dim=self.block.averaged))

        model = Model(self.torch_block(torch))
        return model, torch.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss()

    def keras_layers(self, layers, start):
        """The symbolic output of the layers that are measured."""
        raise NotImplementedError

    def torch_block(self, torch):
        """The same as a module; `width` is its number of features, `averaged` the axes that are not features."""
        raise NotImplementedError


class Convolutions(Block):
    """Two convolutions of 3 x 3 with as many channels as they read."""

    def __init__(self, channels, side):
        self.channels, self.shape = channels, (side, side, channels)
        self.name = f"conv2d-{channels}"
        self.title = f"2 x Conv2D({channels}, 3, relu) on {side} x {side} x {channels}, sgd"

    def keras_layers(self, layers, start):
        y = layers.Conv2D(self.channels, 3, padding="same", activation="relu")(start)
        return layers.Conv2D(self.channels, 3, padding="same", activation="relu")(y)

    def torch_block(self, torch):
        nn = torch.nn

        class ChannelsFirst(nn.Sequential):
            width, averaged = self.channels, (2, 3)

            def forward(self, x):
                return super().forward(x.permute(0, 3, 1, 2))

        def convolution():
            return nn.Conv2d(self.channels, self.channels, 3, padding=1)

        return ChannelsFirst(convolution(), nn.ReLU(), convolution(), nn.ReLU())


class Normalization(Block):
    """A dense layer, the normalization of what it gives, and relu."""

    shape = (128, 64)
    units = 256

    def __init__(self, layer):
        self.layer = layer
        self.name = {"LayerNormalization": "layer-norm", "BatchNormalization": "batch-norm"}[layer]
        self.title = f"Dense(256), {layer}, relu on 128 x 64, sgd"

    def keras_layers(self, layers, start):
        y = layers.Dense(self.units)(start)
        return layers.Activation("relu")(getattr(layers, self.layer)()(y))

    def torch_block(self, torch):
        nn = torch.nn
        norm = nn.LayerNorm(self.units, eps=1e-3) if self.layer == "LayerNormalization" else None

        class Model(nn.Module):
            width, averaged = self.units, 1

            def __init__(self):
                super().__init__()
                self.dense = nn.Linear(64, self.width)
                self.norm = norm or nn.BatchNorm1d(self.width, eps=1e-3, momentum=0.01)

            def forward(self, x):
                y = self.dense(x)
                y = self.norm(y) if norm else self.norm(y.flatten(0, 1)).view_as(y)
                return torch.relu(y)

        return Model()


class Attention(Block):
    """A sequence that attends to itself."""

    shape = (128, 256)
    heads = 8
    name = "attention"
    title = "MultiHeadAttention(8 heads, 32) on 128 x 256, sgd"

    def keras_layers(self, layers, start):
        return layers.MultiHeadAttention(self.heads, self.shape[1] // self.heads)(start, start)

    def torch_block(self, torch):
        nn = torch.nn
        heads, features = self.heads, self.shape[1]

        class Model(nn.Module):
            width, averaged = features, 1

            def __init__(self):
                super().__init__()
                self.attention = nn.MultiheadAttention(features, heads, batch_first=True)

            def forward(self, x):
                return self.attention(x, x, x, need_weights=False)[0]

        return Model()
