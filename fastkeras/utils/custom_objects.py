"""Classes and functions of the user's own by name, so that files which mention them can be read.

Nothing is ever imported because a file names it: what a file may name is what fastkeras has, and what is listed here.
"""

import inspect
from contextlib import contextmanager
from contextvars import ContextVar

_registered = {}  # {registered name: object}
_names = {}  # {object: registered name}
_scope = ContextVar("custom_objects", default=None)


def register_keras_serializable(package="Custom", name=None):
    """A decorator that makes a class (with get_config) or a function known to files as "package>name".

    name: that of the class or function if it is left out.
    """

    def register(obj):
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(f"register_keras_serializable: a class must have get_config(). Received: {obj!r}")
        registered_name = f"{package}>{name or obj.__name__}"
        _registered[registered_name] = obj
        _names[obj] = registered_name
        return obj

    return register


@contextmanager
def custom_object_scope(custom_objects):
    """Within it, files may name the classes and functions of `custom_objects`, {name: class or function}."""
    token = _scope.set({**(_scope.get() or {}), **(custom_objects or {})})
    try:
        yield
    finally:
        _scope.reset(token)


def get_custom_objects():
    """The dictionary of what is known by registration, {name: class or function}; what you add becomes known."""
    return _registered


def get_registered_name(obj):
    """The name under which files hold a class or function."""
    return _names.get(obj, obj.__name__)


def get_registered_object(name):
    """The user's class or function that a file calls `name`, or None.

    The scope comes before what is registered, the full name "package>name" before the part behind the ">".
    """
    known = {**_registered, **(_scope.get() or {})}
    if name in known:
        return known[name]
    by_last_part = {key.rpartition(">")[2]: obj for key, obj in known.items()}
    return by_last_part.get(name.rpartition(">")[2])
