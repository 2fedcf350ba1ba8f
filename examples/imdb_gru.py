"""Is this film review kind? Embedding -> GRU -> Dense, trained on 25,000 real reviews of up to 500 words.

    pip install "fastkeras[examples]"
    python imdb_gru.py

The reviews are those of imdb_sentiment.py, and so is the task; the GRU of Cho et al. (2014), "Learning phrase
representations using RNN encoder-decoder", remembers more of a review than a SimpleRNN.
"""

import numpy as np
from common import mixed, options, print_results, read_reviews

import fastkeras as keras
from fastkeras.layers import GRU, Dense, Embedding
from fastkeras.preprocessing.sequence import pad_sequences
from fastkeras.preprocessing.text import Tokenizer


def main():
    parser = options(__doc__, epochs=3, batch_size=64, save="imdb_gru.h5")
    parser.add_argument("--maxlen", type=int, default=500, help="words read of each review, its last ones")
    parser.add_argument("--num-words", type=int, default=10_000, help="the vocabulary: the most frequent words")
    parser.add_argument("--units", type=int, default=128)
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
    model.add(Embedding(args.num_words, 100, input_length=args.maxlen, mask_zero=True))
    model.add(GRU(args.units))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["acc"])
    model.summary()
    model.fit(x_train, y_train, epochs=args.epochs, batch_size=args.batch_size, validation_split=0.1)
    print_results(model, training=(x_train, y_train), test=(x_test, y_test))
    model.save(args.save)
    print(f"saved to {args.save}")


if __name__ == "__main__":
    main()
