"""Newswires and their topics."""

from benchmarks import data
from benchmarks.workload import Training

VOCABULARY, LENGTH, TOPICS = 1000, 100, 46


class NewswiresLSTM(Training):
    name = "reuters-lstm"
    title = "Reuters Embedding(1000, 120) LSTM(120), T=100, adam"
    batch = 128
    rows = 128 * 40

    def data(self):
        ids, topics = data.newswires(VOCABULARY, LENGTH)
        return {"x": ids[: self.rows], "y": topics[: self.rows]}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, 120),
                keras.layers.LSTM(120),
                keras.layers.Dense(TOPICS, activation="softmax"),
            ]
        )
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(VOCABULARY, 120)
                self.lstm = nn.LSTM(120, 120, batch_first=True)
                self.dense = nn.Linear(120, TOPICS)

            def forward(self, ids):
                _, (h, _) = self.lstm(self.embedding(ids))
                return self.dense(h[0])

        model, loss = Model(), nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
        return model, optimizer, lambda y, labels: loss(y, labels.long())
