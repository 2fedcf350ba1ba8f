"""What fastkeras.config prints and refuses, and the choice of an instruction set."""

import os
import subprocess
import sys

import pytest

import fastkeras as keras
from fastkeras import _kernels


def test_show_names_what_is_in_use(capsys):
    keras.config.show()
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.replace("n set", "n_set").splitlines())
    assert lines["fastkeras"] == keras.__version__
    assert lines["instruction_set"].startswith(keras.config.instruction_set())
    assert lines["threads"].startswith(f"{keras.config.get_num_threads()} of ")


@pytest.mark.parametrize("n", [0, -1, 1025, 2.0, True, "2"])
def test_numbers_of_threads_that_make_no_sense_change_nothing(n):
    before = keras.config.get_num_threads()
    with pytest.raises(ValueError, match=f"from 1 to 1024. Received: n={n!r}"):
        keras.config.set_num_threads(n)
    assert keras.config.get_num_threads() == before


@pytest.mark.parametrize("isa", [*_kernels.available_isas(), "sse9"])
def test_an_instruction_set_can_be_forced(isa):
    code = "from fastkeras import config; print(config.instruction_set())"
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "FASTKERAS_ISA": isa, "PYTHONPATH": path}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    if isa == "sse9":
        assert run.returncode == 1 and "Received: 'sse9'" in run.stderr
    else:
        assert run.stdout.strip() == isa
