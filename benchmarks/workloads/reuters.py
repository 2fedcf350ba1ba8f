"""Newswires and their topics."""

from benchmarks import data
from benchmarks.libraries import TRAINERS
from benchmarks.workload import Training

VOCABULARY, LENGTH, TOPICS = 1000, 100, 46


class NewswiresLSTM(Training):
    name = "reuters-lstm"
    title = "Reuters Embedding(1000, 120) LSTM(120), T=100, adam"
    goal = 4
    batch = 128
    rows = 128 * 16

    def data(self):
        ids, topics = data.newswires(VOCABULARY, LENGTH)
        return {"x": ids[: self.rows], "y": topics[: self.rows]}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, 120),
                *self.keras_layers(keras.layers),
                keras.layers.Dense(TOPICS, activation="softmax"),
            ]
        )
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        return model

    def keras_layers(self, layers):
        return [layers.LSTM(120)]

    def torch_model(self, torch):
        nn, lstm = torch.nn, self.torch_lstm(torch.nn)

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(VOCABULARY, 120)
                self.lstm = lstm
                self.dense = nn.Linear(lstm.hidden_size, TOPICS)

            def forward(self, ids):
                _, (h, _) = self.lstm(self.embedding(ids))
                return self.dense(h[-1])

        model, loss = Model(), nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
        return model, optimizer, lambda y, labels: loss(y, labels.long())

    def torch_lstm(self, nn):
        return nn.LSTM(120, 120, batch_first=True)


class NewswiresStack(NewswiresLSTM):
    """Two recurrent layers, the second over every state of the first."""

    name = "reuters-stacked"
    title = "Reuters Embedding(1000, 120) LSTM(64) LSTM(64), T=100, adam"
    rate = 0.0  # of both kinds of dropout

    def keras_layers(self, layers):
        first = layers.LSTM(64, return_sequences=True, dropout=self.rate, recurrent_dropout=self.rate)
        return [first, layers.LSTM(64)]

    def torch_lstm(self, nn):
        return nn.LSTM(120, 64, num_layers=2, batch_first=True)


class NewswiresStackWithDropout(NewswiresStack):
    """PyTorch has no recurrent dropout."""

    name = "reuters-stacked-dropout"
    title = "Reuters Embedding(1000, 120) LSTM(64, dropout and recurrent dropout 0.2) LSTM(64), T=100, adam"
    peers = tuple(name for name in TRAINERS if name != "torch")
    rate = 0.2
