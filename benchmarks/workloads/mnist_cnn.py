"""Digits, recognised by convolutions."""

from benchmarks import data
from benchmarks.workload import Training


class DigitsCNN(Training):
    name = "mnist-cnn"
    title = "MNIST CNN 32-64 (3x3), max pooling, adam"
    goal = 2
    batch = 128
    rows = 128 * 16

    def data(self):
        x, y = data.digits()
        return {"x": data.repeated(x, self.rows).reshape(-1, 28, 28, 1), "y": data.repeated(y, self.rows)}

    def keras_model(self, keras):
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input(shape=(28, 28, 1)),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class ChannelsFirst(nn.Module):
            def forward(self, x):
                return x.permute(0, 3, 1, 2)

        class ChannelsLast(nn.Module):
            """So that Flatten gives the features in Keras's order, and the losses agree."""

            def forward(self, x):
                return x.permute(0, 2, 3, 1)

        model = nn.Sequential(
            ChannelsFirst(),
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            ChannelsLast(), nn.Flatten(), nn.Linear(1600, 10),
        )  # fmt: skip
        return model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7), nn.CrossEntropyLoss()
