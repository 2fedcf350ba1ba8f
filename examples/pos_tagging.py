"""Noun, verb or adjective? A bidirectional LSTM names the part of speech of each word of a sentence.

    python pos_tagging.py --data treebank.jsonl.gz --sentence "The old man the boat ."

The sentences are the 3,914 of the Wall Street Journal in the sample of the Penn Treebank that NLTK carries (Marcus,
Santorini and Marcinkiewicz, 1993, "Building a large annotated corpus of English: the Penn Treebank"). The file has one
sentence on each line, [["Pierre", "NNP"], ["Vinken", "NNP"], ...]. With NLTK installed, this writes it:

    import json, nltk
    nltk.download("treebank")
    with open("treebank.jsonl", "w") as file:
        for sentence in nltk.corpus.treebank.tagged_sents():
            print(json.dumps(sentence), file=file)

Without --sentence, sentences are read from the keyboard. With --crf, a conditional random field chooses the tags of a
sentence together, by how well each follows the one before it, instead of each by itself.
"""

import re
import sys
from collections import Counter

import numpy as np
from common import mixed, options, print_results, read_json_lines

import fastkeras as keras
from fastkeras.layers import CRF, LSTM, Bidirectional, Dense, Embedding, TimeDistributed
from fastkeras.preprocessing.sequence import pad_sequences

PADDING, UNKNOWN = 0, 1  # the first two word ids


def read_sentences(path):
    """[[(word, tag), ...], ...]; what is marked as -NONE- was added by linguists and is not a word."""
    return [[(word, tag) for word, tag in sentence if tag != "-NONE-"] for sentence in read_json_lines(path)]


def split_words(text):
    """The words of a sentence as the treebank has them: "don't," is do, n't and a comma."""
    return re.findall(r"\w+(?=n't)|n't|'\w+|\w+(?:[-.,]\w+)*|[^\w\s]", text)


def main():
    parser = options(__doc__, epochs=6, batch_size=32, save="pos_tagging.h5")
    parser.add_argument("--data", required=True, metavar="FILE", help="tagged sentences, a .jsonl(.gz) file")
    parser.add_argument("--sentence", help="tag this sentence; by default sentences are read from the keyboard")
    parser.add_argument("--maxlen", type=int, default=150, help="words read of each sentence, its first ones")
    parser.add_argument("--units", type=int, default=256, help="of the LSTM of either direction")
    parser.add_argument("--crf", action="store_true", help="choose the tags of a sentence together")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)

    sentences = mixed(read_sentences(args.data), args.limit, args.seed)
    test = len(sentences) // 5
    counts = Counter(word for sentence in sentences[test:] for word, _ in sentence)
    # Words seen once are unknown as well: so the model learns what to make of a word that it does not know.
    word_ids = {word: i for i, word in enumerate((word for word, n in counts.items() if n > 1), UNKNOWN + 1)}
    tags = sorted({tag for sentence in sentences for _, tag in sentence})
    tag_ids = {tag: i for i, tag in enumerate(tags)}

    def pad(rows):
        return pad_sequences(rows, maxlen=args.maxlen, padding="post", truncating="post", value=PADDING)

    def ids(sentences):
        return pad([[word_ids.get(word, UNKNOWN) for word in words] for words in sentences])

    x = ids([[word for word, _ in sentence] for sentence in sentences])
    y = pad([[tag_ids[tag] for _, tag in sentence] for sentence in sentences])  # the mask hides the tags of the padding
    x_train, y_train, x_test, y_test = x[test:], y[test:], x[:test], y[:test]
    print(f"{len(x_train)} sentences to learn from, {len(x_test)} to test on, {len(word_ids)} words, {len(tags)} tags")

    model = keras.Sequential()
    model.add(Embedding(len(word_ids) + 2, 128, input_length=args.maxlen, mask_zero=True))
    model.add(Bidirectional(LSTM(args.units, return_sequences=True)))
    model.add(CRF(len(tags)) if args.crf else TimeDistributed(Dense(len(tags), activation="softmax")))
    loss = "crf" if args.crf else "sparse_categorical_crossentropy"
    model.compile(optimizer="adam", loss=loss, metrics=["acc"])
    model.summary()
    model.fit(x_train, y_train, epochs=args.epochs, batch_size=args.batch_size, validation_split=0.1)
    print_results(model, training=(x_train, y_train), test=(x_test, y_test))
    model.save(args.save)
    print(f"saved to {args.save}")

    if args.sentence is None and sys.stdin.isatty():
        print("Type a sentence, or Ctrl-D to end:")
    for sentence in sys.stdin if args.sentence is None else [args.sentence]:
        words = split_words(sentence)[: args.maxlen]
        best = np.argmax(model.predict(ids([words]), verbose=0)[0], axis=-1)
        print(" ".join(f"{word}/{tags[tag]}" for word, tag in zip(words, best[: len(words)], strict=True)))


if __name__ == "__main__":
    main()
