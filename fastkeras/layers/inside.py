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
    """The layer and those inside it, at any depth, each once."""
    return _entered(layer, lambda inner: True, {})


def learning(layer):
    """Those of them whose weights training may change; what is inside a layer that is not trainable is not either."""
    return _entered(layer, lambda inner: inner.trainable, {})


def _entered(layer, enters, found):
    if id(layer) not in found and enters(layer):
        found[id(layer)] = layer
        for inner in layer.sublayers():
            _entered(inner, enters, found)
    return found.values()


def each_once(items):
    """A list of the items without those that stand in it before, by identity."""
    return list({id(item): item for item in items}.values())
