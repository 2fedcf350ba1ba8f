"""The table that model.summary() prints."""

_WIDTH = 65
_COLUMNS = (29, 55, 65)  # where each column ends


def _row(fields):
    line = ""
    for field, end in zip(fields, _COLUMNS, strict=True):
        line = (line + field)[: end - 1] if len(line + field) >= end else line + field
        line += " " * (end - len(line))
    return line


def _shape(layer):
    shape = getattr(layer, "output_shape", None) if layer.built else None
    return "?" if shape is None else str(shape)


def _count(variables):
    return sum(v.value.size for v in {id(v): v for v in variables}.values())


def summary_lines(model):
    """The lines of the table: name and class, output shape and number of weights of each layer, then the totals."""
    lines = ["_" * _WIDTH, _row(("Layer (type)", "Output Shape", "Param #")), "=" * _WIDTH]
    layers = model.layers
    for i, layer in enumerate(layers):
        params = str(layer.count_params()) if layer.built else "?"
        lines.append(_row((f"{layer.name} ({type(layer).__name__})", _shape(layer), params)))
        lines.append(("=" if i == len(layers) - 1 else "_") * _WIDTH)
    total, trainable = _count(model.variables), _count(model.trainable_variables)
    lines += [
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
        "_" * _WIDTH,
    ]
    return lines
