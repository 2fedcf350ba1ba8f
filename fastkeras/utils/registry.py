"""Objects by the names and configuration dictionaries that Keras has for them: the `get` of every family."""

from fastkeras.utils import suggest
from fastkeras.utils.custom_objects import get_registered_name, get_registered_object


def _plain(name):
    """'glorot_uniform', 'GlorotUniform' and 'Custom>GlorotUniform' are one name."""
    return name.split(">")[-1].lower().replace("_", "")


def _made(found):
    """An object of a class with its default arguments; a function is used as it is."""
    return found() if isinstance(found, type) else found


class Registry:
    """The classes of one family, for example the initializers.

    kind: what errors call one of them ("initializer"). module: where Keras keeps them ("keras.initializers").
    base: the class they derive from. classes: {name: class} with the names people write; a class may have
    several. Case and underscores do not count, and the class's own name is always known.
    """

    def __init__(self, kind, module, base, classes):
        self.kind = kind
        self.module = module
        self.base = base
        self.classes = {}
        self._by_plain = {}
        self.add(classes)

    def add(self, classes):
        """Makes more classes known, {name: class}."""
        self.classes.update(classes)
        self._by_plain.update({_plain(cls.__name__): cls for cls in classes.values()})
        self._by_plain.update({_plain(name): cls for name, cls in classes.items()})

    def find(self, name, custom_objects=None):
        """The class of that name, or the user's own, of `custom_objects` or utils.custom_objects, which comes first."""
        own = (custom_objects or {}).get(name) or get_registered_object(name)
        if own is not None:
            return own
        if _plain(name) not in self._by_plain:
            raise ValueError(suggest.unknown(self.kind, name, self.classes))
        return self._by_plain[_plain(name)]

    def get(self, identifier):
        """The object that `identifier` stands for: a name, a configuration, a class, or the object itself.

        None stays None. Raises a ValueError for an unknown name and for anything else.
        """
        if identifier is None or isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, str):
            return _made(self.find(identifier))
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, type) and issubclass(identifier, self.base):
            return identifier()
        raise ValueError(
            f"Could not interpret the {self.kind}: expected a name, a configuration dictionary or an object "
            f"of {self.module}. Received: {identifier!r}"
        )

    def serialize(self, obj):
        """The dictionary that files hold for an object, as Keras 3 writes it; None for None.

        A function is kept by its name, and needs `custom_objects` to be found again.
        """
        if obj is None:
            return None
        if not hasattr(obj, "get_config"):
            name = obj.__name__
            return {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
        cls = type(obj)
        ours = cls in self.classes.values()
        return {
            "module": self.module if ours else cls.__module__,
            "class_name": cls.__name__,
            "config": obj.get_config(),
            "registered_name": None if ours else get_registered_name(cls),
        }

    def deserialize(self, config, custom_objects=None):
        """The object that a dictionary of Keras 2 or Keras 3 describes; None for None."""
        if config is None:
            return None
        if isinstance(config, str):
            return _made(self.find(config, custom_objects))
        if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
            raise ValueError(
                f"The configuration of the {self.kind} must be a dictionary with a `class_name`. Received: {config!r}"
            )
        if config["class_name"] == "function":
            return self.find(config["config"], custom_objects)
        return self.find(config["class_name"], custom_objects).from_config(dict(config.get("config") or {}))

    def attribute(self, name):
        """What a module's __getattr__ gives: Keras has most classes under a lower-case name as well."""
        if name in self.classes:
            return self.classes[name]
        class_names = [cls.__name__ for cls in self.classes.values()]
        known = [*self.classes, *class_names, "get", "serialize", "deserialize"]
        raise AttributeError(suggest.unknown(f"name in fast{self.module}", name, known))
