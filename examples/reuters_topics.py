"""What is this newswire about? Embedding -> LSTM -> Dense, trained on newswires of Reuters on 46 topics.

    python reuters_topics.py

The newswires, of 1987, come from the collection Reuters-21578. Without --data they are those of
fastkeras.datasets.reuters, downloaded once and kept where Keras keeps them; --data names a .jsonl or .jsonl.gz file
with lines such as [16, "Crude oil prices rose ..."], a topic's number and a text.
"""

import numpy as np
from common import mixed, options, print_results, read_json_lines

import fastkeras as keras
from fastkeras.datasets import reuters
from fastkeras.layers import LSTM, Dense, Embedding
from fastkeras.preprocessing.sequence import pad_sequences
from fastkeras.preprocessing.text import Tokenizer


def read_newswires(path, num_words, limit, seed):
    """(x_train, y_train), (x_test, y_test): lists of word ids below `num_words`, and topics; a fifth is for testing."""
    if path is None:
        (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=num_words, seed=seed)
        return (x_train[:limit], y_train[:limit]), (x_test[:limit], y_test[:limit])
    topics, texts = zip(*mixed(read_json_lines(path), limit, seed), strict=True)
    test = len(texts) // 5
    tokenizer = Tokenizer(num_words=num_words)
    tokenizer.fit_on_texts(texts[test:])
    ids, topics = tokenizer.texts_to_sequences(texts), np.array(topics)
    return (ids[test:], topics[test:]), (ids[:test], topics[:test])


def main():
    parser = options(__doc__, epochs=20, batch_size=128, save="reuters_topics.h5")
    parser.add_argument("--data", metavar="FILE", help="a .jsonl(.gz) file; by default the data set is downloaded")
    parser.add_argument("--maxlen", type=int, default=100, help="words read of each newswire, its first ones")
    parser.add_argument("--num-words", type=int, default=1000, help="the vocabulary: the most frequent words")
    parser.add_argument("--units", type=int, default=120)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)

    (x_train, y_train), (x_test, y_test) = read_newswires(args.data, args.num_words, args.limit, args.seed)
    topics = int(max(y_train.max(), y_test.max())) + 1
    x_train, x_test = (pad_sequences(x, maxlen=args.maxlen, truncating="post") for x in (x_train, x_test))
    print(f"{len(x_train)} newswires to learn from, {len(x_test)} to test on, {topics} topics")

    model = keras.Sequential()
    model.add(Embedding(args.num_words, 120, input_length=args.maxlen))
    model.add(LSTM(args.units))
    model.add(Dense(topics, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["acc"])
    model.summary()
    model.fit(x_train, y_train, epochs=args.epochs, batch_size=args.batch_size, validation_split=0.1)
    print_results(model, training=(x_train, y_train), test=(x_test, y_test))
    model.save(args.save)
    print(f"saved to {args.save}")


if __name__ == "__main__":
    main()
