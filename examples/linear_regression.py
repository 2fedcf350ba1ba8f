"""How far does a car roll on when the driver brakes? A straight line through 50 measurements, found by training.

    python linear_regression.py

Speed in miles per hour and stopping distance in feet, from Ezekiel (1930), "Methods of correlation analysis". What
training finds is compared with the least-squares line, which linear algebra gives at once. For data of your own (hours
of study and scores, say): --data FILE.csv with two columns of numbers.
"""

import numpy as np
from common import options, print_results

import fastkeras as keras
from fastkeras.layers import Dense

SPEED = """
    4 4 7 7 8 9 10 10 10 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15
    15 16 16 17 17 17 18 18 18 18 19 19 19 20 20 20 20 20 22 23 24 24 24 24 25
"""
DISTANCE = """
    2 10 4 22 16 10 18 26 34 17 28 14 20 24 28 26 34 34 46 26 36 60 80 20 26
    54 32 40 32 40 50 42 56 76 84 36 46 68 32 48 52 56 64 66 54 70 92 93 120 85
"""


def read_numbers(path):
    """(x, y) from a CSV file with two columns; a first line of names is skipped."""
    if path is None:
        return np.array(SPEED.split(), float), np.array(DISTANCE.split(), float)
    numbers = np.genfromtxt(path, delimiter=",")
    if numbers.ndim != 2 or numbers.shape[1] != 2:
        raise SystemExit(f"{path} does not have two columns of numbers, separated by a comma.")
    return numbers[~np.isnan(numbers).any(axis=1)].T


def save_plot(path, x, y, line):
    """The points and the line in a picture, if matplotlib is installed."""
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        print("There is no picture without matplotlib: pip install matplotlib")
        return
    figure, axes = pyplot.subplots()
    axes.scatter(x, y)
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, line(ends), color="red")
    figure.savefig(path)
    print(f"the line is drawn in {path}")


def main():
    parser = options(__doc__, epochs=100, batch_size=8, save="linear_regression.h5")
    parser.add_argument("--data", metavar="FILE.csv", help="two columns of numbers; by default speeds and distances")
    parser.add_argument("--plot", metavar="FILE.png", default="linear_regression.png", help="where the picture goes")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)

    x, y = read_numbers(args.data)
    order = np.random.default_rng(args.seed).permutation(len(x))[: args.limit]
    x, y = x[order], y[order]
    test = len(x) // 5
    x_train, y_train, x_test, y_test = x[test:], y[test:], x[:test], y[:test]

    # Around 0 and of size 1, one learning rate suits slope and intercept alike, whatever is measured.
    mean, scale = x_train.mean(), x_train.std()
    x_train, x_test = (x_train - mean) / scale, (x_test - mean) / scale

    model = keras.Sequential()
    model.add(Dense(1, input_dim=1))
    model.compile(optimizer="sgd", loss="mean_squared_error", metrics=["mae"])
    model.summary()
    model.fit(x_train, y_train, epochs=args.epochs, batch_size=args.batch_size)
    print_results(model, training=(x_train, y_train), test=(x_test, y_test))

    kernel, bias = model.get_weights()
    slope = kernel.item() / scale
    intercept = bias.item() - slope * mean
    best_slope, best_intercept = np.polyfit(x[test:], y[test:], 1)
    print(f"found by training: y = {slope:.3f} x {intercept:+.3f}")
    print(f"least squares:     y = {best_slope:.3f} x {best_intercept:+.3f}")
    save_plot(args.plot, x, y, lambda x: slope * x + intercept)
    model.save(args.save)
    print(f"saved to {args.save}")


if __name__ == "__main__":
    main()
