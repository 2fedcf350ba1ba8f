"""CTC: labels in order, of which nobody says at which steps they are. The mathematics is in src_c/ctc.h."""

import numpy as np

from fastkeras._kernels import ctc as kernel
from fastkeras.core.tensor import Whole, as_tensor, made, operation, source_of, value

__all__ = ["ctc_decode", "ctc_loss"]


def _blank(who, mask_index, classes):
    if not -classes <= mask_index < classes:
        raise ValueError(
            f"ops.{who}: `mask_index` must be one of the {classes} classes. Received: mask_index={mask_index}"
        )
    return mask_index % classes


@operation
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """-log p(labels | output) of each sample, (n,): of all the ways to spread its labels over the steps.

    target (n, L): labels, of which the first target_length (n,) count. output (n, T, C), float32: what a softmax would
    be applied to; the first output_length (n,) steps count. mask_index: the class that is the blank. The loss is
    infinite, with the gradient 0, where there are too few steps for the labels.
    """
    source, x = source_of(output), np.asarray(value(output), np.float32, order="C")
    y, labels, steps = (np.asarray(value(a), np.int32, order="C") for a in (target, target_length, output_length))
    blank = _blank("ctc_loss", mask_index, x.shape[-1])

    def losses(dx, w):
        values = np.empty(len(x), np.float32)
        kernel.loss(values, dx, x, y, labels, steps, w, blank)
        return values

    def gradients(ds):
        dx = np.empty_like(x)
        losses(dx, np.asarray(ds[0], np.float32, order="C"))
        return [dx]

    values = as_tensor(losses(None, None))
    if source is not None:
        Whole([source], gradients, [values], "ops.ctc_loss")
    return values


@operation
def ctc_decode(
    inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True, mask_index=0
):
    """(labels (1, n, T) int32, -1 behind those of each sample; scores (n, 1)) of the best class at each step.

    inputs (n, T, C), of which the first sequence_lengths (n,) steps count. Of equal neighbours one is left
    (merge_repeated), then the blank, the class mask_index, is left out. A score is minus the sum of the best inputs.
    strategy: "greedy"; a beam search is not computed here.
    """
    if strategy != "greedy":
        raise ValueError(f"ops.ctc_decode: `strategy` must be 'greedy'. Received: strategy={strategy!r}")
    x = np.asarray(value(inputs))
    counts = np.arange(x.shape[1]) < np.asarray(value(sequence_lengths))[:, None]
    best = x.argmax(axis=-1)
    kept = counts & (best != _blank("ctc_decode", mask_index, x.shape[-1]))
    if merge_repeated:
        kept[:, 1:] &= best[:, 1:] != best[:, :-1]
    labels = np.full((1, *best.shape), -1, np.int32)
    for row, classes, there in zip(labels[0], best, kept, strict=True):
        row[: there.sum()] = classes[there]
    return made(labels), made(-(x.max(axis=-1) * counts).sum(axis=1, keepdims=True))
