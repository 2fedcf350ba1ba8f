"""python -m fastkeras script.py: runs a script as python script.py does, with fastkeras.compat imported before it.

Whoever imports this module has imported its package, and with it what `import keras` finds.
"""

import os
import sys
from types import ModuleType, TracebackType

from fastkeras.compat.notices import PACKAGE


def run(path, arguments):
    """Runs the script at `path` with these arguments, as the module __main__; what it raises passes through.

    An exception that ends the script is shown with the lines of the script and of what it calls, but without those
    inside fastkeras, whose messages are meant to do without them; `python -X dev` shows all.
    """
    with open(path, "rb") as file:
        source = file.read()
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    if not sys.flags.dev_mode:
        sys.excepthook = _show
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__file__ = path
    exec(compile(source, path, "exec"), vars(main))


def _show(kind, error, traceback):
    seen = error
    while seen is not None:
        seen.__traceback__ = _without_ours(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
    sys.__excepthook__(kind, error, error.__traceback__)


def _without_ours(traceback):
    """The traceback without the lines in fastkeras and in Python's own start."""
    if traceback is None:
        return None
    rest, file = _without_ours(traceback.tb_next), traceback.tb_frame.f_code.co_filename
    if file.startswith((PACKAGE, "fastkeras/_kernels/", "<frozen ")):  # the second are those of compiled modules
        return rest
    return TracebackType(rest, traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)
