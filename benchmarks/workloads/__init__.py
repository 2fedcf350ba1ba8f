"""All workloads by name. To add one, write its class in a file of this folder and put it into the list."""

from benchmarks.workloads.gemm import Gemm
from benchmarks.workloads.imdb import AllReviewsSimpleRNN, ReviewsSimpleRNN
from benchmarks.workloads.mlp import DigitsMLP, LinearRegression, PredictOneRow, TinyMLP
from benchmarks.workloads.startup import FirstEpoch, Import
from benchmarks.workloads.tokenizer import Tokenize

WORKLOADS = {
    workload.name: workload
    for workload in (
        Gemm(),
        TinyMLP(),
        LinearRegression(),
        DigitsMLP(),
        ReviewsSimpleRNN(),
        PredictOneRow(),
        Tokenize(),
        Import(),
        FirstEpoch(DigitsMLP()),
        FirstEpoch(AllReviewsSimpleRNN()),
    )
}
