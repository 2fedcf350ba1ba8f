"""The arguments of compile as JSON that Keras 2 and Keras 3 read, and back."""

from fastkeras import losses, metrics, optimizers
from fastkeras.saving.config import portable
from fastkeras.utils.custom_objects import get_registered_name, get_registered_object
from fastkeras.utils.naming import snake_case

# Arguments that optimizers did not have before TensorFlow 2.11. Where they are None or False, which says that they are
# not in use, they are not written.
_ONLY_NEWER_OPTIMIZERS = {
    "weight_decay",
    "use_ema",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
}

# What Keras 3 or tf_keras has under other names than these; it is written as an object.
_NAMELESS_LOSSES = {"categorical_generalized_cross_entropy"}
_NAMELESS_METRICS = {"bce", "BCE", "kl_divergence", "kld", "KLD", "log_cosh", "logcosh"}


def compile_to_config(compiled):
    """The "training_config" of a file: the arguments of compile."""
    given = compiled.arguments()
    return portable(
        {
            "loss": _nested(lambda loss: _flat(_loss_to_config(loss)), given["loss"]),
            "metrics": _metrics_to_config(compiled, given["metrics"], False),
            "weighted_metrics": _metrics_to_config(compiled, given["weighted_metrics"], True) or None,
            "loss_weights": _listed(given["loss_weights"]),
            "optimizer_config": _optimizer_to_config(given["optimizer"]),
        }
    )


def compile_to_keras_3(compiled):
    """The "compile_config" of a .keras file."""
    given = compiled.arguments()
    optimizer = {
        **optimizers.serialize(given["optimizer"]),
        "config": _optimizer_to_config(given["optimizer"])["config"],
    }
    return portable(
        {
            "optimizer": optimizer,
            "loss": _nested(_loss_to_config, given["loss"]),
            "loss_weights": _listed(given["loss_weights"]),
            "metrics": _nested(_metric_to_keras_3, _listed(given["metrics"])),
            "weighted_metrics": _nested(_metric_to_keras_3, _listed(given["weighted_metrics"])),
        }
    )


def _loss_to_config(loss):
    """Of a name the full one: Keras does not know all aliases in all versions. A user's own name stays as it is."""
    if isinstance(loss, str):
        name = loss if get_registered_object(loss) is not None else losses.full_name(loss)
        if name not in _NAMELESS_LOSSES:
            return name
    return losses.serialize(losses.get(loss))


def _metric_to_config(metric):
    """A name as it is; of a class, and of a name that not every Keras knows, the object, reported under that name."""
    config = metrics.serialize(metric)
    if not isinstance(metric, type) and not (isinstance(config, str) and config in _NAMELESS_METRICS):
        return config
    made = metrics.get(metric)
    made.name = config
    return metrics.serialize(made)


def _metric_to_keras_3(metric):
    """The functions that have no class are known to Keras 3 as functions, not by their names."""
    config = _metric_to_config(metric)
    if isinstance(config, str) and config in metrics.WITHOUT_CLASS and get_registered_object(config) is None:
        return {"module": "builtins", "class_name": "function", "config": config, "registered_name": config}
    return config


def _listed(given):
    return given if given is None or isinstance(given, (list, tuple, dict)) else [given]


def _metrics_to_config(compiled, given, by_weight):
    """A list of names and objects, of several outputs a dictionary of lists; objects have the names they are reported
    under.

    Once the model has seen data, it is settled which accuracy "accuracy" is. That one is written, since tf_keras does
    not always find it again.
    """
    if not compiled.metrics:
        return _nested(lambda metric: _flat(_metric_to_config(metric)), _listed(given)) or []
    by_output = {}
    for head in compiled.heads:
        configs = by_output[head.name] = []
        for key, metric, weighted in head.metrics or ():
            if weighted is by_weight:
                config = _flat(metrics.serialize(metric))
                if isinstance(config, dict):
                    config = {**config, "config": {**config["config"], "name": head.own_key(key)}}
                configs.append(config)
    return by_output if len(by_output) > 1 else configs


def _optimizer_to_config(optimizer):
    """{"class_name", "config"}, without the options of newer optimizers that are not in use.

    Where none is, tf_keras makes one of the optimizers it had before TensorFlow 2.11. They compute the same, but that
    momentum and clipping see those rows of an Embedding alone that the batch has, and RMSprop without momentum adds
    epsilon to the root, not under it; and that its Nadam trains on otherwise. There was no AdamW and no Lion among
    them: tf_keras loads such a file with compile=False alone (one with Lion of its own as well).
    """
    config = optimizer.get_config()
    if not config["use_ema"]:
        del config["ema_momentum"]
    config = {key: value for key, value in config.items() if value or key not in _ONLY_NEWER_OPTIMIZERS}
    decay = config.pop("decay", 0.0)
    if decay:  # r / (1 + decay t) is written as the schedule that both know
        schedule = optimizers.schedules.InverseTimeDecay(config["learning_rate"], 1, decay)
        config["learning_rate"] = optimizers.schedules.serialize(schedule)
    return {"class_name": get_registered_name(type(optimizer)), "config": config}


def _flat(config):
    """A serialized object as Keras 2 has it, without where its class is defined."""
    return {k: config[k] for k in ("class_name", "config")} if isinstance(config, dict) else config


def compile_from_config(config):
    """The arguments of compile that a "training_config" of Keras 2, Keras 3 or fastkeras holds, or the "compile_config"
    of a .keras file."""
    optimizer = config.get("optimizer_config", config.get("optimizer"))
    if not isinstance(optimizer, (str, dict)):  # tf_keras keeps a name in .keras files
        raise ValueError(f"The optimizer is not described by a name or a dictionary. Received: {optimizer!r:.200}")
    return {
        "optimizer": optimizers.deserialize(optimizer),
        "loss": _nested(_loss_from_config, config.get("loss")),
        "metrics": _nested(_metric_from_config, config.get("metrics")),
        "weighted_metrics": _nested(_metric_from_config, config.get("weighted_metrics")),
        "loss_weights": config.get("loss_weights"),
    }


def _nested(make, value):
    """make(item) for each name or object in nested lists, or dictionaries by output."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [_nested(make, item) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _nested(make, item) for key, item in value.items()}
    return make(value)


def _named(name):
    """The name itself, or the user's own class or function of that name, which is known only while a file is read."""
    own = get_registered_object(name)
    return name if own is None else own


def _loss_from_config(loss):
    if isinstance(loss, str):
        return _named(loss)
    if isinstance(loss, dict) and isinstance(loss.get("config"), dict):
        # Keras 2 adds the name of its function, and calls the usual reduction "auto".
        config = {key: value for key, value in loss["config"].items() if key != "fn"}
        if config.get("reduction") == "auto":
            config["reduction"] = "sum_over_batch_size"
        loss = {**loss, "config": config}
    return losses.deserialize(loss)


_ACCURACIES = {"BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy"}
_ACCURACIES |= {snake_case(name) for name in _ACCURACIES}


def _metric_from_config(metric):
    """Names stay names, and the accuracy that "accuracy" once stood for is "accuracy" again."""
    if isinstance(metric, str):
        return _named(metric)
    kind, config = metric["class_name"], metric.get("config") or {}
    if kind == "function":
        return _named(config)
    wrapped = kind == "MeanMetricWrapper"  # Keras 2: a function under a name
    if wrapped:
        kind = config.get("fn")
    if config.get("name") in ("acc", "accuracy") and kind in _ACCURACIES and config.get("threshold", 0.5) == 0.5:
        return config["name"]
    if not wrapped:
        return metrics.deserialize(metric)
    found = metrics.get(kind)
    found.name = config.get("name", found.name)
    return found
