"""Is this text message spam? Embedding -> SimpleRNN -> Dense, trained on 5,572 real messages.

    python sms_spam.py --data SMSSpamCollection

The messages are the SMS Spam Collection of Almeida, Hidalgo and Yamakami (2011), "Contributions to the study of SMS
spam filtering": unpack the file at https://archive.ics.uci.edu/dataset/228/sms+spam+collection. It has a label and a
message on each line with a tab between them; a .jsonl or .jsonl.gz file with lines such as [1, "You have won"] is
taken as well.
"""

import numpy as np
from common import mixed, options, print_results, read_json_lines

import fastkeras as keras
from fastkeras.layers import Dense, Embedding, SimpleRNN
from fastkeras.preprocessing.sequence import pad_sequences
from fastkeras.preprocessing.text import Tokenizer

MESSAGES = [
    "Congratulations! You have won a free holiday. Call 09061701461 now to claim your prize",
    "Sorry I'm late, will be home for dinner at seven",
    "URGENT! Your mobile number was awarded a 2000 pound bonus, txt WIN to 80086",
    "Can you pick up the kids from school today?",
]


def read_messages(path):
    """[(spam, text), ...], spam being 1 or 0."""
    if ".jsonl" in path:
        return read_json_lines(path)
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file]
    return [(int(label == "spam"), text) for label, text in rows]


def main():
    parser = options(__doc__, epochs=5, batch_size=32, save="sms_spam.h5")
    parser.add_argument("--data", required=True, metavar="FILE", help="SMSSpamCollection, or the same as .jsonl(.gz)")
    parser.add_argument("--maxlen", type=int, default=60, help="words read of each message, its last ones")
    parser.add_argument("--num-words", type=int, default=5000, help="the vocabulary: the most frequent words")
    parser.add_argument("--units", type=int, default=32)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)

    labels, texts = zip(*mixed(read_messages(args.data), args.limit, args.seed), strict=True)
    labels = np.array(labels)
    test = len(texts) // 5
    tokenizer = Tokenizer(num_words=args.num_words)
    tokenizer.fit_on_texts(texts[test:])

    def ids(texts):
        return pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=args.maxlen)

    x = ids(texts)
    x_train, y_train, x_test, y_test = x[test:], labels[test:], x[:test], labels[:test]
    print(f"{len(x_train)} messages to learn from, {len(x_test)} to test on, {np.mean(labels):.1%} spam")

    model = keras.Sequential()
    model.add(Embedding(args.num_words, 32, input_length=args.maxlen, mask_zero=True))
    model.add(SimpleRNN(args.units))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["acc"])
    model.summary()
    model.fit(x_train, y_train, epochs=args.epochs, batch_size=args.batch_size, validation_split=0.1)
    print_results(model, training=(x_train, y_train), test=(x_test, y_test))
    model.save(args.save)
    print(f"saved to {args.save}")

    for message, score in zip(MESSAGES, model.predict(ids(MESSAGES), verbose=0)[:, 0], strict=True):
        print(f"{score:6.1%} spam: {message}")


if __name__ == "__main__":
    main()
