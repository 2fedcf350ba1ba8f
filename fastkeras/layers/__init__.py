"""The layers, one file per family."""

from fastkeras.layers.config import know
from fastkeras.layers.convolutional import Conv1D, Conv2D, Convolution1D, Convolution2D
from fastkeras.layers.core import Activation, Dense, Embedding, Flatten, Input, InputLayer, Masking, RepeatVector
from fastkeras.layers.gru import GRU
from fastkeras.layers.layer import Layer
from fastkeras.layers.lstm import LSTM
from fastkeras.layers.regularization import Dropout, SpatialDropout1D
from fastkeras.layers.rnn import RNN, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from fastkeras.layers.simple_rnn import SimpleRNN
from fastkeras.layers.wrappers import Bidirectional, TimeDistributed
from fastkeras.utils import suggest

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Bidirectional",
    "Conv1D",
    "Conv2D",
    "Convolution1D",
    "Convolution2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Input",
    "InputLayer",
    "LSTMCell",
    "Layer",
    "Masking",
    "RepeatVector",
    "SimpleRNN",
    "SimpleRNNCell",
    "SpatialDropout1D",
    "StackedRNNCells",
    "TimeDistributed",
]

know({name: globals()[name] for name in __all__ if name not in ("Input", "Layer")})


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.layers", name, __all__))
