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
    found = {id(layer): layer}
    for inner in layer.sublayers():
        _entered(inner, found)
    return found.values()


def learning(layer):
    """Those of them whose weights training may change; what is inside a layer that is not trainable is not either."""
    return _entered(layer, {}, only_trainable=True).values()


def _entered(layer, found, only_trainable=False):
    """{id: layer} of the layer and those inside it that are not in `found`, which they are added to."""
    if id(layer) not in found and (layer.trainable or not only_trainable):
        found[id(layer)] = layer
        for inner in layer.sublayers():
            _entered(inner, found, only_trainable)
    return found


def trained_variables(layers):
    """The layers' own trainable variables, each once."""
    found = [v for layer in layers for v in layer.own_trainable_variables]
    return each_once(found) if len(layers) > 1 else found


def each_once(items):
    """A list of the items without those that stand in it before, by identity."""
    return list({id(item): item for item in items}.values())
