"""XOR: four rows, and as many epochs as one likes. What an epoch of one step costs, all included."""

import numpy as np

from benchmarks.workload import Training


class Xor(Training):
    name = "xor"
    title = "XOR 2-2-1, sgd, an epoch of 4 rows"
    per = "epoch"
    batch = 4

    def data(self):
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        return {"x": x, "y": (x[:, :1] != x[:, 1:]).astype(np.float32)}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(2,)),
                keras.layers.Dense(2, activation="sigmoid"),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1), loss="binary_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn
        model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1))
        return model, torch.optim.SGD(model.parameters(), lr=0.1), nn.BCEWithLogitsLoss()
