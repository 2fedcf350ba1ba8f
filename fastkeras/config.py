"""What fastkeras runs on: the instruction set, the threads and the versions.

FASTKERAS_ISA=avx512|avx2|baseline|neon chooses the instruction set before the import; OMP_NUM_THREADS or
`set_num_threads` the number of threads. Neither changes a result but for rounding between instruction sets: the same
seed gives the same bits with any number of threads. FASTKERAS_LANG=ko has the messages for learners in Korean
(utils/messages.py).
"""

import os
import platform

import numpy as np

from fastkeras import _kernels
from fastkeras._kernels import threads
from fastkeras.version import __version__

_settings = {"epsilon": 1e-7, "image_data_format": "channels_last"}
_MOST_THREADS = 1024  # OpenMP ends the process if it cannot start as many as it is asked for


def set_num_threads(n):
    """Uses at most n threads from now on, in this process. n: an integer from 1 to 1024."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= _MOST_THREADS:
        raise ValueError(f"set_num_threads: `n` must be an integer from 1 to {_MOST_THREADS}. Received: n={n!r}")
    threads.set_num_threads(int(n))


def get_num_threads():
    """The most threads a kernel uses."""
    return threads.get_num_threads()


def instruction_set():
    """The instruction set of the kernels in use: avx512, avx2, neon or baseline."""
    return _kernels.isa


# --- Keras's settings ------------------------------------------------------------------------------------------------


def floatx():
    """ "float32": the type of weights and of what layers compute."""
    return "float32"


def set_floatx(value):
    """Takes "float32" alone, which it is."""
    if value != "float32":
        raise ValueError(
            "set_floatx: layers compute in float32; ops compute in the type of their arguments, so float64 arrays give "
            f"float64 there. Received: {value!r}"
        )


def epsilon():
    """The small number, 1e-7 at first, that keeps divisors and logarithms of the user's own from 0. (The losses of the
    library keep 1e-7.)"""
    return _settings["epsilon"]


def set_epsilon(value):
    """Sets `epsilon`, a positive number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not value > 0:
        raise ValueError(f"set_epsilon: expected a positive number. Received: {value!r}")
    _settings["epsilon"] = float(value)


def image_data_format():
    """What `data_format` is where a layer is not told: "channels_last" at first."""
    return _settings["image_data_format"]


def set_image_data_format(data_format):
    """Sets `image_data_format`, for layers made from now on: "channels_last" or "channels_first"."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"set_image_data_format: expected 'channels_last' or 'channels_first'. Received: {data_format!r}"
        )
    _settings["image_data_format"] = data_format


# --- the machine -----------------------------------------------------------------------------------------------------


def show():
    """Prints the instruction set, the number of threads, and the versions."""
    print(f"fastkeras        {__version__}")
    print(f"instruction set  {_kernels.isa} (available: {', '.join(_kernels.available_isas())})")
    print(f"threads          {get_num_threads()} of {os.cpu_count()} processors")
    print(f"numpy            {np.__version__}")
    print(f"python           {platform.python_version()} on {platform.system()} {platform.machine()}")
