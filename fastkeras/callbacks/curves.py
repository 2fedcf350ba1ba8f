"""The curves that History.plot draws; matplotlib comes with the extra `plots`."""

from fastkeras.utils.messages import message


def draw(history, names, to_file):
    """The figure: a diagram for each name in `history`, a callbacks.names.Values, with the curve of val_<name> too."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(message("history_needs_matplotlib", received=error)) from error
    names = list(names) or [name for name in history if not name.startswith("val_")]
    if not names:
        raise ValueError(message("history_empty", received=dict(history)))
    curves = [[(label, history[key]) for label, key in _keys(name, history)] for name in names]
    figure, axes = pyplot.subplots(1, len(names), figsize=(5 * len(names), 4), squeeze=False, layout="constrained")
    for ax, name, lines in zip(axes[0], names, curves, strict=True):
        epochs = len(lines[0][1])
        for label, values in lines:
            every = max(1, epochs // len(values))  # with validation_freq there are fewer
            ax.plot(range(every, every * len(values) + 1, every), values, ".-", label=label)
        ax.set_title(name)
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    if to_file is not None:
        figure.savefig(to_file)
    return figure


def _keys(name, history):
    """(label, key) for each curve of a diagram."""
    if f"val_{name}" not in history:
        return [("training", name)]
    return [("training", name), ("validation", f"val_{name}")]
