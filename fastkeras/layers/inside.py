"""Walks over a layer and the layers inside it."""


def inside(layer):
    """The layer and those inside it, at any depth."""
    yield layer
    for inner in layer.sublayers():
        yield from inside(inner)


def learning(layer):
    """Those of them whose weights training may change; what is inside a layer that is not trainable is not either."""
    if not layer.trainable:
        return
    yield layer
    for inner in layer.sublayers():
        yield from learning(inner)
