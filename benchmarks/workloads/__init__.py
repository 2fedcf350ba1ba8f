"""All workloads by name. To add one, write its class in a file of this folder and put it into the list."""

from benchmarks.workloads.blocks import Attention, Convolutions, Normalization
from benchmarks.workloads.distinct import DistinctIdsLSTM
from benchmarks.workloads.gemm import Gemm
from benchmarks.workloads.graph import ManySmallLayers
from benchmarks.workloads.imdb import AllReviewsSimpleRNN, ReviewsConv, ReviewsGRU, ReviewsLSTM, ReviewsSimpleRNN
from benchmarks.workloads.mlp import DigitsMLP, LinearRegression, PredictOneRow, TinyMLP, TrainOneRow
from benchmarks.workloads.mnist_cnn import DigitsCNN
from benchmarks.workloads.predict import Predict
from benchmarks.workloads.reuters import NewswiresLSTM
from benchmarks.workloads.startup import FirstEpoch, Import
from benchmarks.workloads.tagging import TaggerBiLSTM
from benchmarks.workloads.tokenizer import Tokenize

WORKLOADS = {
    workload.name: workload
    for workload in (
        Gemm(),
        TinyMLP(),
        LinearRegression(),
        DigitsMLP(),
        DigitsCNN(),
        ReviewsSimpleRNN(),
        ReviewsGRU(),
        ReviewsConv(),
        NewswiresLSTM(),
        TaggerBiLSTM(),
        DistinctIdsLSTM(),
        Convolutions(32, 28),
        Convolutions(64, 28),
        Convolutions(128, 14),
        Normalization("LayerNormalization"),
        Normalization("BatchNormalization"),
        Attention(),
        PredictOneRow(),
        TrainOneRow(),
        ManySmallLayers(),
        Predict(ReviewsSimpleRNN()),
        Predict(ReviewsGRU()),
        Predict(NewswiresLSTM()),
        Predict(TaggerBiLSTM()),
        Predict(DistinctIdsLSTM()),
        Tokenize(),
        Import(),
        FirstEpoch(DigitsMLP()),
        FirstEpoch(AllReviewsSimpleRNN()),
        FirstEpoch(ReviewsLSTM()),
    )
}
