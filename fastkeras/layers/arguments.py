"""What a layer is told in a call besides its inputs: keywords, in which tensors may lie anywhere.

Of a call in a graph, and of one on data, the tensors are one flat list, the inputs. Keywords have the number of an
input (Nth) where that tensor stands.
"""


class Nth(int):
    """The number of one of a call's inputs: what stands for that tensor among the call's keywords."""


def replaced(value, kind, replace):
    """A keyword's value with replace(item) for each item of a class in it, which may be in a list, tuple or dict."""
    if isinstance(value, kind):
        return replace(value)
    if isinstance(value, dict):
        return {key: replaced(item, kind, replace) for key, item in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    items = (replaced(item, kind, replace) for item in value)
    return list(items) if isinstance(value, list) else tuple(items)


def numbered(keywords, kind, inputs):
    """The keywords with numbers for the items of a class in them, which are added to the list `inputs`."""

    def number(item):
        inputs.append(item)
        return Nth(len(inputs) - 1)

    return {name: replaced(value, kind, number) for name, value in keywords.items()}


def inputs_by_name(x, keywords):
    """(the inputs of a call but for those among its keywords, the keywords with their inputs in place)."""
    placed = []

    def place(number):
        placed.append(number)
        return x[number]

    named = {name: replaced(value, Nth, place) for name, value in keywords.items()}
    return x[: len(x) - len(placed)], named
