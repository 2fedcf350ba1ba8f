"""Nothing to share: all ids of a batch are distinct, and no step is padding."""

import numpy as np

from benchmarks.workload import Training

VOCABULARY, LENGTH = 40_000, 25


class DistinctIdsLSTM(Training):
    name = "distinct-lstm"
    title = "nothing to share: Embedding(40000, 64) LSTM(256), T=25, sgd"
    goal = 1.3
    batch = 64
    rows = VOCABULARY // LENGTH

    def data(self):
        """Is the row's first id even? Every id comes once in an epoch."""
        ids = np.random.default_rng(0).permutation(VOCABULARY).reshape(self.rows, LENGTH).astype(np.int32)
        return {"x": ids, "y": (ids[:, :1] % 2 == 0).astype(np.float32)}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, 64),
                keras.layers.LSTM(256),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="sgd", loss="binary_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(VOCABULARY, 64)
                self.lstm = nn.LSTM(64, 256, batch_first=True)
                self.dense = nn.Linear(256, 1)

            def forward(self, ids):
                _, (h, _) = self.lstm(self.embedding(ids))
                return self.dense(h[0])

        model = Model()
        return model, torch.optim.SGD(model.parameters(), lr=0.01), nn.BCEWithLogitsLoss()
