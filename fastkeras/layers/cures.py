"""What usually helps when a layer refuses the shape of what the layer before it gives."""

from fastkeras.utils.messages import message, with_cure


def explained(error, layer, tensor):
    """The ValueError with which a layer refused a symbolic tensor, with the cure; None if none is known."""
    cure = _cure(layer, tensor.site.layer if tensor.site else None, tensor.shape)
    return None if cure is None else ValueError(with_cure(str(error), cure))


def _cure(layer, before, shape):
    if len(shape) == 2 and _wants_steps(layer):
        if before is None:
            return message("cure_sequences")
        names = {"before": before.name, "kind": type(before).__name__}
        if getattr(before, "return_sequences", None) is False:
            return message("cure_return_sequences", **names)
        if names["kind"].startswith(("Flatten", "Global")):
            return message("cure_no_steps_left", **names)
    if len(shape) == 3 and before is None and getattr(layer, "rank", None) == 2:
        return message("cure_channels", shape=(*shape[1:], 1))
    return None


def _wants_steps(layer):
    """Whether a layer works along sequences: those that are recurrent, take one apart, or have windows over it."""
    kind = type(layer).__name__
    return hasattr(layer, "return_sequences") or kind == "TimeDistributed" or getattr(layer, "rank", None) == 1
