"""Layers as older versions of Keras wrote them, in files and in scripts, in today's words.

Keras 1 (2015 to 2017) had other names for nearly everything; Keras 2 had layers for cuDNN, and GRU without
reset_after. An old name is translated wherever it is found: nothing is called so today.
"""

# Names of Keras 1, and of Keras 2's layers for cuDNN: {then: now}.
CLASSES = {
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "CuDNNGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
}
_KEYS = {
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "filter_length": "kernel_size",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "nb_filter": "filters",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
    **{f"{part}_init": f"{part}_initializer" for part in ("beta", "gamma")},
    **{
        f"{letter}_{what}": f"{part}_{what}"
        for letter, part in {"W": "kernel", "U": "recurrent", "b": "bias"}.items()
        for what in ("regularizer", "constraint")
    },
}
# Words of Keras 2's layers.experimental.preprocessing.
_OF_LAYERS = {
    "CategoryEncoding": {"max_tokens": "num_tokens"},
    "Discretization": {"bins": "bin_boundaries"},
    "IntegerLookup": {"mask_value": "mask_token", "max_values": "max_tokens", "oov_value": "oov_token"},
}
_ORDERS = {"th": "channels_first", "tf": "channels_last", "default": None}
_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}

# Arguments that say how to compute, of which there is one way here.
IDLE = {"consume_less", "input_dtype"}

# Arguments with values that change nothing. (BatchNormalization's mode 1 normalised each sample by itself.)
_WITHOUT_EFFECT = {
    "BatchNormalization": {"mode": (0, 2)},
    "DepthwiseConv2D": {"groups": (1,)},
    "Embedding": {"dropout": (0,)},
}


def translated(class_name, config):
    """(class name, config) of a file in today's words; a ValueError for what there is no word for."""
    if config.get("time_major"):
        raise ValueError(f"{class_name}: inputs with the steps on the first axis (time_major=True) are not supported.")
    if class_name == "Merge":
        return merged(config)
    config = in_todays_words(class_name, config)
    if class_name == "GRU":
        config.setdefault("reset_after", False)  # the only kind there was when files did not say
    return CLASSES.get(class_name, class_name), config


def in_todays_words(class_name, config):
    """The arguments of a layer, {name: value}, under the names that they have now."""
    of_keras_1 = not config.keys().isdisjoint([*_KEYS, "nb_row", "forget_bias_init", "output_dim", "length"])
    words = _OF_LAYERS.get(class_name, {})
    config = {words.get(key, key): value for key, value in config.items() if key not in IDLE}
    for key, values in _WITHOUT_EFFECT.get(class_name, {}).items():
        if config.get(key) in values:
            del config[key]
    if class_name == "Embedding":
        config = {key.replace("W_", "embeddings_"): value for key, value in config.items()}
        if "init" in config:
            config["embeddings_initializer"] = config.pop("init")
    elif "output_dim" in config:
        config["units"] = config.pop("output_dim")
    return _of_keras_1(class_name, config) if of_keras_1 else config


def _of_keras_1(class_name, config):
    config = dict(config)
    if "nb_row" in config:
        config["kernel_size"] = [config.pop("nb_row"), config.pop("nb_col")]
    if "forget_bias_init" in config:
        config["unit_forget_bias"] = config.pop("forget_bias_init") == "one"
    if "filter_length" in config:  # of one-dimensional convolutions
        steps, features = config.pop("input_length", None), config.pop("input_dim", None)
        if features is not None:
            config.setdefault("batch_input_shape", [None, steps, features])
    if class_name == "UpSampling1D" and "length" in config:
        config["size"] = config.pop("length")
    renamed = {_KEYS.get(key, key): _value(value) for key, value in config.items()}
    if "data_format" in renamed:
        renamed["data_format"] = _ORDERS.get(renamed["data_format"], renamed["data_format"])
    return renamed


def _value(value):
    """A regularizer or constraint, which was {"name": class, argument: value}; anything else as it is."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return value
    name, arguments = value["name"], {key: item for key, item in value.items() if key != "name"}
    if "Regularizer" in name:
        return {"class_name": "L1L2", "config": {key: arguments[key] for key in ("l1", "l2") if key in arguments}}
    if "m" in arguments:
        arguments["max_value"] = arguments.pop("m")
    return {"class_name": name, "config": arguments}


def merged(config):
    """Keras 1 had one layer for all ways to merge."""
    mode, name = config.get("mode"), {"name": config.get("name")}
    if mode == "concat":
        return "Concatenate", {**name, "axis": config.get("concat_axis", -1)}
    if mode in ("dot", "cos"):
        return "Dot", {**name, "axes": config.get("dot_axes", -1), "normalize": mode == "cos"}
    if mode not in _MERGES:
        raise ValueError(f"Merge: `mode` must be one of {[*_MERGES, 'dot', 'cos']}. Received: mode={mode!r}")
    return _MERGES[mode], name
