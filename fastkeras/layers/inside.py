"""Walks over a layer and the layers inside it."""


def is_layer(value):
    return hasattr(value, "ensure_built") and not isinstance(value, type)


def among(attributes, wanted):
    """The values for which wanted(value) holds that are attributes (a dict), or lie in lists, tuples and dicts there,
    in order, each once."""
    found, stack = {}, list(attributes.values())[::-1]
    while stack:
        value = stack.pop()
        if isinstance(value, (list, tuple)):
            stack += value[::-1]
        elif isinstance(value, dict):
            stack += list(value.values())[::-1]
        elif wanted(value):
            found[id(value)] = value
    return list(found.values())


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
