"""Nested structures: items in lists, tuples and dicts, as one list and back."""


def flat(structure):
    """The items in order, those of a dict by its sorted keys; what is no list, tuple or dict is an item itself."""
    if isinstance(structure, dict):
        return [item for key in sorted(structure) for item in flat(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [item for part in structure for item in flat(part)]
    return [structure]


def packed(structure, items):
    """A structure of the same form, with the items in the order of `flat`."""
    return _filled(structure, iter(items))


def _filled(structure, rest):
    if isinstance(structure, dict):
        filled = {key: _filled(structure[key], rest) for key in sorted(structure)}
        return {key: filled[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        return type(structure)([_filled(part, rest) for part in structure])
    return next(rest)


def mapped(function, structure):
    """A structure of the same form, with function(item) for each item."""
    return packed(structure, [function(item) for item in flat(structure)])
