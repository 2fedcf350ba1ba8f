"""The import system's part: what `import keras` finds.

A name such as keras.layers.core becomes a module without a file. It holds nothing at first; a name in it is looked up
where compat/paths.py says when it is first used, so that a script waits for nothing it does not need.
"""

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from fastkeras.compat import missing, notices, paths, words

_NOTHING = object()


class Alias(ModuleType):
    """A module of Keras or TensorFlow whose names are found in modules of fastkeras."""

    def __getattr__(self, name):
        if name == "__all__":
            return self.__dir__()
        if name.startswith("__") and name != "__version__":  # what Python asks of any module, __wrapped__ or __file__
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = vars(self)[name] = self._found(name)
        return value

    def _found(self, name):
        inner = f"{self.__name__}.{name}"
        for source in self._sources():
            value = getattr(source, name, _NOTHING)
            if value is not _NOTHING and not isinstance(value, ModuleType):
                words.teach(source.__name__)
                words.teach(getattr(value, "__module__", None) or "")
                self._tell_new_name(source.__name__, name)
                return getattr(source, name)  # again: the lesson may have replaced it
        if paths.place(inner) is not None:
            return importlib.import_module(inner)
        for source in self._sources():
            now = words.NAMES.get(source.__name__, {}).get(name)
            if now is not None:
                notices.say(f"{inner} is {source.__name__.replace('fastkeras', 'keras', 1)}.{now} now.")
                return getattr(source, now)
        raise AttributeError(missing.message(inner, self.__all__), name=name, obj=None)

    def _tell_new_name(self, source, name):
        if self.__spec__.loader_state.old and not source.startswith("fastkeras.compat."):
            now = source.replace("fastkeras", "keras", 1)
            notices.say(f"{self.__name__}.{name} is {now}.{name} now.", self.__name__)

    def _sources(self):
        """The modules that have the names, one by one: the first often has what is asked for."""
        return map(importlib.import_module, self.__spec__.loader_state.sources)

    def __dir__(self):
        names = (getattr(source, "__all__", None) or dir(source) for source in self._sources())
        return sorted({name for several in names for name in several if not name.startswith("_")})


class Finder:
    """Finds the modules of compat/paths.py, and says of others under these names what is missing."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in paths.TOPMOST:
            return None
        place = paths.place(name)
        if place is None:
            # `from keras.layers import X` comes here if there is no X. An error without a name is shown as it is.
            parent, _, last = name.rpartition(".")
            try:
                getattr(sys.modules[parent], last)
            except AttributeError as error:
                raise ModuleNotFoundError(str(error)) from None
            raise ModuleNotFoundError(f"{name} is no module: write `from {parent} import {last}`.")
        return ModuleSpec(name, Finder, loader_state=place, is_package=True)

    @staticmethod
    def create_module(spec):
        return Alias(spec.name)

    @staticmethod
    def exec_module(module):
        pass


def install():
    """Makes Finder the first that is asked; an ImportError if a package of one of its names is imported already."""
    others = [name for name in paths.TOPMOST if name in sys.modules and not isinstance(sys.modules[name], Alias)]
    if others:
        raise ImportError(
            f"fastkeras.compat stands for {', '.join(paths.TOPMOST)}, and cannot be mixed with the packages of these "
            f"names: import it before them. Imported already: {', '.join(others)}"
        )
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)
