"""A layer with a forward pass called on data: it answers at once, and a tape that records can lead back through it."""

import numpy as np

from fastkeras.core.rows import dense
from fastkeras.core.run import Run
from fastkeras.core.tensor import as_input, as_tensor, mask_of, tapes
from fastkeras.layers.penalties import with_penalty
from fastkeras.layers.recording import Recording


def called(layer, inputs, training, mask, keywords):
    """The output, a tensor or a list of them. inputs: a list of what numpy takes for arrays. training, mask: as in
    Layer.__call__. keywords: what else the call was told, its tensors as numbered places behind the inputs."""
    dtypes = layer.input_dtypes(len(inputs))
    arrays = [layer._as_array(item, dtype == "string") for item, dtype in zip(inputs, dtypes, strict=True)]
    layer._prepare([a.shape for a in arrays], keywords)
    layer.check_input(arrays[0])
    arrays = [as_input(a, dtype) for a, dtype in zip(arrays, dtypes, strict=True)]
    several = len(arrays) > 1
    masks = _masks(inputs, mask)
    is_masked = any(m is not None for m in masks)
    if tapes.losses is None:
        layer.forget_losses()
    recording = Recording(layer, inputs) if tapes.recording else None
    run = _idle_run(layer, recording)
    run.training, run.keywords = tapes.training if training is None else bool(training), keywords
    run.mask, run.masks = masks[0], masks if several and is_masked else None
    x = arrays if several else arrays[0]
    y, backward = layer.forward(x, run)
    if layer.activity_regularizer is not None:
        y, backward = with_penalty(layer, y, backward, run)
    layer.take_losses(list(run.losses))
    of_outputs = run.output_masks
    if of_outputs is None and (is_masked or layer.makes_masks()):
        of_outputs = layer.compute_mask(x, masks if several else masks[0])
    if recording:
        tensors = recording.outputs(y, backward, run)
    else:
        parts = [as_tensor(dense(item, run)[0]) for item in (y if isinstance(y, list) else [y])]
        tensors = parts if isinstance(y, list) else parts[0]
        layer.give_run(run)
    if of_outputs is not None:
        parts = tensors if isinstance(tensors, list) else [tensors]
        for part, own in zip(parts, of_outputs if isinstance(of_outputs, list) else [of_outputs], strict=False):
            part._keras_mask = own
    return tensors


def _masks(inputs, mask):
    """A mask, bool, or None for each of the inputs: what the call was given, else what they carry."""
    if mask is None:
        masks = [mask_of(item) for item in inputs]
    else:
        several = len(inputs) > 1 and isinstance(mask, (list, tuple))
        masks = mask if several else [mask, *[None] * (len(inputs) - 1)]
    return [None if m is None else np.ascontiguousarray(m, bool) for m in masks]


def _idle_run(layer, recording):
    """A run that no other call on data uses now, with the buffers of an earlier one if there was one like it."""
    trained = recording.trained if recording else frozenset()
    try:
        run = layer._idle_runs.pop()  # in one step: another thread may want it too
    except IndexError:
        run = None
    if run is None or run.trained != trained:
        run = Run(trains=layer in trained, trained=trained)
    run.wants_dx = recording is not None and recording.wants_dx
    return run
