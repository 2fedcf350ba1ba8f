"""Models whose summaries and pictures are tested, made with fastkeras or Keras, `lib`."""


def branches(lib):
    """Two inputs through one shared layer, joined."""
    layers, a, b = lib.layers, lib.Input((4,), name="a"), lib.Input((4,), name="b")
    shared = layers.Dense(5, name="shared")
    joined = layers.Concatenate(name="join")([shared(a), shared(b)])
    return lib.Model([a, b], layers.Dense(2, name="out")(joined), name="branches")


def nested(lib):
    """A chain with a chain inside, and a frozen layer."""
    layers = lib.layers
    inner = lib.Sequential(
        [layers.Dense(3, name="inner_1", input_shape=(5,)), layers.Dense(2, name="inner_2")], name="inner"
    )
    model = lib.Sequential(
        [layers.Dense(5, name="first", input_shape=(4,)), inner, layers.Dense(1, name="last")], name="nested"
    )
    model.layers[0].trainable = False
    return model


def states(lib):
    """A layer with three outputs, and two outputs of the model."""
    layers, ids = lib.layers, lib.Input((7,), name="ids")
    h, c, s = layers.LSTM(3, return_state=True, name="lstm")(layers.Embedding(20, 4, name="embedding")(ids))
    ends = layers.Dense(2, name="two")(h), layers.Dense(3, name="three")(layers.Concatenate(name="join")([h, c, s]))
    return lib.Model(ids, list(ends), name="states")


def skips(lib):
    """Lines that cross several rows, and two outputs."""
    start = lib.Input((8,), name="start")
    kept = [start, lib.layers.Dense(8, name="dense_0")(start)]
    for i in range(5):
        joined = (lib.layers.Add if i % 2 else lib.layers.Concatenate)(name=f"join_{i}")(kept[-2:])
        kept.append(lib.layers.Dense(8, name=f"dense_{i + 1}")(joined))
    return lib.Model(start, [kept[-1], lib.layers.Dense(1, name="side")(kept[1])])


def circles(lib):
    """A layer that reads itself, and two that read each other."""
    start, twice = lib.Input((4,), name="start"), lib.layers.Dense(4, name="twice")
    one, other = lib.layers.Dense(4, name="one"), lib.layers.Dense(4, name="other")
    return lib.Model(start, one(other(one(twice(twice(start))))))
