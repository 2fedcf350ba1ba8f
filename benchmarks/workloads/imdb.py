"""Film reviews, kind or not, read word by word."""

from benchmarks import data
from benchmarks.workload import Training

VOCABULARY, LENGTH = 10_000, 500


class ReviewsSimpleRNN(Training):
    name = "imdb-simple-rnn"
    title = "IMDB Embedding(10000, 32) SimpleRNN(32), T=500, rmsprop"
    goal = 6
    batch = 64
    rows = 64 * 20

    def data(self):
        _, labels = data.reviews()
        return {"x": data.review_ids(VOCABULARY, LENGTH)[: self.rows], "y": labels[: self.rows, None]}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, 32),
                keras.layers.SimpleRNN(32),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="rmsprop", loss="binary_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(VOCABULARY, 32)
                self.rnn = nn.RNN(32, 32, batch_first=True)
                self.dense = nn.Linear(32, 1)

            def forward(self, ids):
                _, state = self.rnn(self.embedding(ids))
                return self.dense(state[0])

        model = Model()
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
        return model, optimizer, nn.BCEWithLogitsLoss()


class AllReviewsSimpleRNN(ReviewsSimpleRNN):
    """All 25,000 reviews, for startup.FirstEpoch: the whole of a learner's first run, and its memory."""

    title = f"{ReviewsSimpleRNN.title}, all 25,000 reviews"
    rows = 25_000


class ReviewsGRU(Training):
    name = "imdb-gru"
    title = "IMDB Embedding(10000, 100) GRU(128), T=500, adam"
    goal = 6
    batch = 64
    rows = 64 * 8

    def data(self):
        _, labels = data.reviews()
        return {"x": data.review_ids(VOCABULARY, LENGTH)[: self.rows], "y": labels[: self.rows, None]}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, 100),
                self.keras_layer(keras),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="adam", loss="binary_crossentropy")
        return model

    def keras_layer(self, keras):
        return keras.layers.GRU(128)

    def torch_model(self, torch):
        nn, layer = torch.nn, self.torch_layer(torch.nn)

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(VOCABULARY, 100)
                self.recurrent = layer
                self.dense = nn.Linear(128, 1)

            def forward(self, ids):
                y, _ = self.recurrent(self.embedding(ids))
                return self.dense(y[:, -1])

        model = Model()
        return model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7), nn.BCEWithLogitsLoss()

    def torch_layer(self, nn):
        return nn.GRU(100, 128, batch_first=True)


class ReviewsLSTM(ReviewsGRU):
    """For startup.FirstEpoch, which shows the memory that long sequences take."""

    name = "imdb-lstm"
    title = "IMDB Embedding(10000, 100) LSTM(128), T=500, adam"

    def keras_layer(self, keras):
        return keras.layers.LSTM(128)

    def torch_layer(self, nn):
        return nn.LSTM(100, 128, batch_first=True)


class ReviewsConv(ReviewsSimpleRNN):
    name = "imdb-conv"
    title = "IMDB Embedding(10000, 128) Conv1D(256, 3), global max, T=500, rmsprop"
    goal = 3
    rows = 64 * 8

    def keras_model(self, keras):
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                layers.Embedding(VOCABULARY, 128),
                layers.Conv1D(256, 3, activation="relu"),
                layers.GlobalMaxPooling1D(),
                layers.Dense(128, activation="relu"),
                layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="rmsprop", loss="binary_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(VOCABULARY, 128)
                self.conv = nn.Conv1d(128, 256, 3)
                self.hidden = nn.Linear(256, 128)
                self.dense = nn.Linear(128, 1)

            def forward(self, ids):
                answers = torch.relu(self.conv(self.embedding(ids).transpose(1, 2)))
                return self.dense(torch.relu(self.hidden(answers.amax(dim=2))))

        model = Model()
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
        return model, optimizer, nn.BCEWithLogitsLoss()
