"""All workloads by name. To add one, write its class in a file of this folder and put it into the list."""

from benchmarks.workloads.blocks import Attention, Convolutions, Normalization
from benchmarks.workloads.characters import Letters
from benchmarks.workloads.distinct import DistinctIdsLSTM
from benchmarks.workloads.gemm import Gemm
from benchmarks.workloads.graph import ManySmallLayers
from benchmarks.workloads.imdb import AllReviewsSimpleRNN, ReviewsConv, ReviewsGRU, ReviewsLSTM, ReviewsSimpleRNN
from benchmarks.workloads.mlp import DigitsMLP, LinearRegression, PredictOneRow, TinyMLP, TrainOneRow, WideMLP
from benchmarks.workloads.mnist_cnn import DigitsCNN
from benchmarks.workloads.own_code import OwnArithmetic, OwnLayers
from benchmarks.workloads.predict import Predict, PredictMany
from benchmarks.workloads.reuters import NewswiresLSTM, NewswiresStack, NewswiresStackWithDropout
from benchmarks.workloads.startup import FirstEpoch, Import
from benchmarks.workloads.sweeps import Sweep
from benchmarks.workloads.tagging import TaggerBiLSTM
from benchmarks.workloads.tokenizer import Tokenize
from benchmarks.workloads.xor import Xor

WORKLOADS = {
    workload.name: workload
    for workload in (
        Gemm(),
        TinyMLP(),
        Xor(),
        LinearRegression(),
        DigitsMLP(),
        WideMLP(),
        DigitsCNN(),
        ReviewsSimpleRNN(),
        ReviewsGRU(),
        ReviewsConv(),
        NewswiresLSTM(),
        NewswiresStack(),
        NewswiresStackWithDropout(),
        TaggerBiLSTM(),
        Letters(),
        DistinctIdsLSTM(),
        Convolutions(32, 28),
        Convolutions(64, 28),
        Convolutions(128, 14),
        Normalization("LayerNormalization"),
        Normalization("BatchNormalization"),
        Attention(),
        OwnLayers(50, 64),
        OwnLayers(8, 16),
        OwnArithmetic(),
        Sweep("batch", "batch", "rows of a batch", (8, 32, 128, 512)),
        Sweep("length", "length", "words of a row", (25, 50, 100, 200, 400)),
        Sweep("hidden", "units", "units", (16, 64, 128, 256)),
        Sweep("duplicates", "copies", "share of copied rows", (0.0, 0.25, 0.5, 0.75, 0.9)),
        PredictOneRow(),
        TrainOneRow(),
        ManySmallLayers(),
        PredictMany(DigitsMLP(), 10_000),
        Predict(ReviewsSimpleRNN()),
        Predict(ReviewsGRU()),
        Predict(NewswiresLSTM()),
        Predict(TaggerBiLSTM()),
        Predict(DistinctIdsLSTM(), goal=1),
        Tokenize(),
        Import(),
        FirstEpoch(DigitsMLP()),
        FirstEpoch(AllReviewsSimpleRNN()),
        FirstEpoch(ReviewsLSTM()),
    )
}


def in_steps():
    """The names of those that are made of equal steps, into which phases.py can look."""
    return [name for name, workload in WORKLOADS.items() if hasattr(workload, "again")]
