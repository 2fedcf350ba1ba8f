"""TensorBoard: the event files that Keras writes, read by its own reader."""

import glob

import numpy as np
import pytest
from small_models import classifier, points

from fastkeras.callbacks import TensorBoard

pytestmark = pytest.mark.needs("tensorboard")
X, Y = points(23)


@pytest.fixture
def events():
    """events(folder): what its files hold, in order: [(step, tag, plugin, value)]."""
    from tensorboard.backend.event_processing import event_file_loader as loader
    from tensorboard.util import tensor_util

    def read(folder):
        values = []
        for path in sorted(glob.glob(f"{folder}/events.out.tfevents.*.v2")):
            first, *rest = loader.EventFileLoader(path).Load()
            assert first.file_version == "brain.Event:2"
            values += [(event.step, value) for event in rest for value in event.summary.value]
        return [
            (step, value.tag, value.metadata.plugin_data.plugin_name, tensor_util.make_ndarray(value.tensor))
            for step, value in values
        ]

    return read


def curves(events):
    """{tag: [(step, value)]} of the scalars."""
    found = {}
    for step, tag, plugin, value in events:
        if plugin == "scalars":
            found.setdefault(tag, []).append((step, pytest.approx(float(value), rel=1e-6)))
    return found


def test_the_curves_of_a_training_have_kerass_names(tmp_path, events):
    """Tags, steps and folders are those that Keras 3.15 writes."""
    model, callback = classifier(), TensorBoard(tmp_path)
    history = model.fit(X, Y, 12, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[callback]).history
    assert curves(events(tmp_path / "train")) == {
        "epoch_loss": [*enumerate(history["loss"])],
        "epoch_acc": [*enumerate(history["acc"])],
        "epoch_learning_rate": [(0, 0.001), (1, 0.001)],
    }
    by_iteration = [*zip((2, 4), history["val_loss"], strict=True)], [*zip((2, 4), history["val_acc"], strict=True)]
    assert curves(events(tmp_path / "validation")) == {
        "epoch_loss": [*enumerate(history["val_loss"])],
        "epoch_acc": [*enumerate(history["val_acc"])],
        "evaluation_loss_vs_iterations": by_iteration[0],
        "evaluation_acc_vs_iterations": by_iteration[1],
    }
    loss, _ = model.evaluate(X, Y, verbose=0, callbacks=[callback])
    assert curves(events(tmp_path / "validation"))["evaluation_loss_vs_iterations"] == [*by_iteration[0], (4, loss)]


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4]), (2, [2, 4]), (3, [3])])
def test_curves_by_batches(tmp_path, events, update_freq, steps):
    classifier().fit(X, Y, 12, epochs=2, verbose=0, callbacks=[TensorBoard(tmp_path, update_freq=update_freq)])
    found = curves(events(tmp_path / "train"))
    assert [step for step, _ in found["batch_loss"]] == [step for step, _ in found["batch_acc"]] == steps
    if steps[-1] == 4:
        assert found["batch_loss"][-1][1] == found["epoch_loss"][-1][1].expected


def test_histograms_count_the_weights(tmp_path, events):
    model = classifier()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[TensorBoard(tmp_path, histogram_freq=2)])
    found = [(step, tag, value) for step, tag, plugin, value in events(tmp_path / "train") if plugin == "histograms"]
    assert [(step, tag) for step, tag, _ in found] == [
        (i, f"{v.path}/histogram") for i in (0, 2) for v in model.variables
    ]
    for variable, (_, _, buckets) in zip(model.variables, found[-4:], strict=True):
        counts, _ = np.histogram(variable.value, 30)
        if variable.value.size > 1:
            np.testing.assert_array_equal(buckets[:, 2], counts)  # each bucket: from, to, how many


def test_steps_per_second(tmp_path, events):
    classifier().fit(X, Y, 12, verbose=0, callbacks=[TensorBoard(tmp_path, write_steps_per_second=True)])
    found = curves(events(tmp_path / "train"))
    assert len(found["batch_steps_per_second"]) == 2 and len(found["epoch_steps_per_second"]) == 1
    assert all(value.expected > 0 for tag in found for _, value in found[tag])


def test_an_exception_leaves_complete_files(tmp_path, events):
    def batches():
        yield X, Y
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        classifier().fit(batches(), epochs=2, verbose=0, callbacks=[TensorBoard(tmp_path, update_freq=1)])
    assert list(curves(events(tmp_path / "train"))) == ["batch_loss", "batch_acc"]


def test_arguments_of_tensorboard(tmp_path):
    with pytest.raises(ValueError, match=r"`update_freq` must be 'epoch', 'batch' or a number .*update_freq='epochs'"):
        TensorBoard(tmp_path, update_freq="epochs")
    with pytest.warns(UserWarning, match=r"`write_images` is not supported\. Received: write_images=True"):
        TensorBoard(tmp_path, write_images=True)
