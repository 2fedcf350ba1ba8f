"""Files that cannot be written are left as they were; weights that do not fit change nothing."""

import os

import h5py
import numpy as np
import pytest
from file_cases import FIT, random_weights
from model_data import features
from saved_models import run_python, same, small

import fastkeras
from fastkeras import saving
from fastkeras.layers import Dense
from fastkeras.utils import atomic

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:.* does not say how the model was compiled"),
]

# --- whole or not at all ---------------------------------------------------------------------------------------------


def test_an_error_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.h5"
    small().save(path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("no space left on device")

    for broken in ("fastkeras.saving.by_layer.write_arrays", "os.fsync", "shutil.copymode", "os.replace"):
        with monkeypatch.context() as patch, pytest.raises(OSError, match="no space left"):
            patch.setattr(broken, fail)
            small(optimizer="adam", loss="mse").save(path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["model.h5"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """The system allows the process files of 40,000 bytes; the model has 400,000."""
    path = tmp_path / "model.h5"
    small().save(path)
    before = path.read_bytes()
    code = """
import resource, signal, sys, fastkeras
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
model = fastkeras.Sequential([fastkeras.layers.Dense(1000, input_shape=(100,))])
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
try:
    model.save(sys.argv[1])
except OSError as error:
    print("refused:", error)
"""
    result = run_python(code, path)
    assert result.stdout.startswith("refused:"), result.stderr
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.h5"]


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.h5"
    model = small()
    model.save(path)
    before = path.read_bytes()
    code = """
import os, signal, sys, fastkeras
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
fastkeras.Sequential([fastkeras.layers.Dense(1000, input_shape=(100,))]).save(sys.argv[1])
"""
    assert run_python(code, path).returncode == -9
    assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 2  # the new file lies beside it, unfinished
    model.save(path)  # what the killed process left does not matter
    assert same(saving.load_model(path).get_weights(), model.get_weights())


def test_links_and_permissions_stay(tmp_path):
    model, path, link = small(), tmp_path / "model.h5", tmp_path / "latest.h5"
    model.save(path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.chmod(0o640)
    link.symlink_to(path)
    random_weights(model, 8)
    model.save(link)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert same(saving.load_model(path).get_weights(), model.get_weights())


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_devices_are_not_replaced():
    with pytest.raises(ValueError, match="is not a file"):
        atomic.write(os.devnull, b"")


# --- what does not fit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5"])
def test_weights_of_another_shape_are_named(tmp_path, name):
    small().save_weights(tmp_path / name)
    model = fastkeras.Sequential([Dense(5, input_shape=(3,)), Dense(4, name="wider")])
    weights = model.get_weights()
    expected = r"Layer 'wider' \(Dense\): expected weights of shapes \[\(5, 4\), \(4,\)\]\. "
    with pytest.raises(ValueError, match=expected + r"Received: shapes \[\(5, 2\), \(2,\)\], from '.*" + name):
        model.load_weights(tmp_path / name)
    assert same(model.get_weights(), weights)

    with pytest.warns(UserWarning, match=r"The layer keeps its weights"):
        model.load_weights(tmp_path / name, skip_mismatch=True)
    assert same(model.get_weights(), small().get_weights()[:2] + weights[2:])


def test_another_number_of_layers_is_named(tmp_path):
    small().save_weights(tmp_path / "w.h5")
    model = fastkeras.Sequential([Dense(5, input_shape=(3,), name="only")])
    with pytest.raises(ValueError, match=r"has 1 layers with weights, \['only'\], but .* of 2: \['first', 'last'\]"):
        model.load_weights(tmp_path / "w.h5")


def test_weights_by_the_names_of_layers(tmp_path):
    model = small()
    model.save_weights(tmp_path / "w.h5")
    other = fastkeras.Sequential([Dense(4, input_shape=(2,), name="new"), Dense(5), Dense(2, name="last")])
    weights = other.get_weights()
    other.load_weights(tmp_path / "w.h5", by_name=True)
    assert same(other.get_weights(), weights[:4] + model.get_weights()[2:])

    wrong = fastkeras.Sequential([Dense(5, input_shape=(4,), name="first"), Dense(2, name="last")])
    weights = wrong.get_weights()
    with pytest.raises(ValueError, match="Layer 'first'"):
        wrong.load_weights(tmp_path / "w.h5", by_name=True)
    assert same(wrong.get_weights(), weights)
    with pytest.warns(UserWarning, match="Layer 'first'"):
        wrong.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    assert same(wrong.get_weights(), weights[:2] + model.get_weights()[2:])

    model.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="by_name=True cannot find layers"):
        model.load_weights(tmp_path / "w.weights.h5", by_name=True)


def test_an_optimizer_of_another_kind_keeps_its_state(tmp_path):
    x, y = features(7, 3), features(7, 2)
    model, other = small(optimizer="adam", loss="mse"), small(optimizer="rmsprop", loss="mse")
    model.fit(x, y, **FIT)
    model.save_weights(tmp_path / "w.weights.h5")
    with pytest.warns(UserWarning, match="holds no state that fits RMSprop"):
        other.load_weights(tmp_path / "w.weights.h5")
    assert same(other.get_weights(), model.get_weights()) and other.optimizer.iterations == 0


def test_files_that_hold_something_else_say_so(tmp_path):
    model = small()
    model.save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match=r"holds no model, perhaps weights only: .*load_weights"):
        saving.load_model(tmp_path / "w.h5")
    with h5py.File(tmp_path / "data.h5", "w") as f:
        f["data"] = np.ones(3)
    with pytest.raises(ValueError, match="holds no weights of a Keras model"):
        model.load_weights(tmp_path / "data.h5")
