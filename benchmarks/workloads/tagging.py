"""The part of speech of each word."""

from benchmarks import data
from benchmarks.workload import Training

WORDS, LENGTH, TAGS = 11_388, 150, 47  # with the padding, which is word 0 and tag 0


class TaggerBiLSTM(Training):
    """PyTorch's LSTM has no mask: it reads the padding too, but its loss leaves it out."""

    name = "tagging-bilstm"
    title = "tagging Embedding(11388, 128, mask_zero) BiLSTM(256), T=150, adam"
    goal = 10
    batch = 128
    rows = 128 * 2
    most_rounds = 3

    def data(self):
        words, tags = data.tagged_sentences(LENGTH)
        return {"x": words[: self.rows], "y": tags[: self.rows]}

    def keras_model(self, keras):
        L = keras.layers
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                L.Embedding(WORDS, 128, mask_zero=True),
                L.Bidirectional(L.LSTM(256, return_sequences=True)),
                L.TimeDistributed(L.Dense(TAGS, activation="softmax")),
            ]
        )
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(WORDS, 128)
                self.lstm = nn.LSTM(128, 256, batch_first=True, bidirectional=True)
                self.dense = nn.Linear(512, TAGS)

            def forward(self, ids):
                h, _ = self.lstm(self.embedding(ids))
                return self.dense(h)

        model, loss = Model(), nn.CrossEntropyLoss(ignore_index=0)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
        return model, optimizer, lambda y, tags: loss(y.flatten(0, 1), tags.flatten().long())
