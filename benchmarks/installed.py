"""How much of the disk a library takes, with all that it needs: what `pip install` has put there."""

import importlib.util
import re
import sys
from importlib import metadata
from pathlib import Path

NEEDED_BY_A_CHECKOUT = {"fastkeras": ("numpy", "h5py")}  # built in place, it has no metadata that would say so


def distributions(names):
    """{normalized name: Distribution} of the named ones and all that they require. What is not installed is left out:
    it is required on other systems, by other Pythons or for extras."""
    found, waiting = {}, list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        required = [text for text in found[name].requires or () if not re.search(r"\bextra\s*==", text)]
        waiting += [re.match(r"[\w.-]+", text)[0] for text in required]
    return found


def of_package(module):
    """The files that a wheel of the package would hold, and their bytecode: for one that was built in place."""
    cached = f".{sys.implementation.cache_tag}.pyc"
    folder = Path(importlib.util.find_spec(module).origin).parent
    return [path for path in folder.rglob("*") if path.suffix in (".py", ".so") or path.name.endswith(cached)]


def size(modules):
    """The bytes of the installed packages that hold these modules, and of all that these require."""
    owners = metadata.packages_distributions()
    names = [name for module in modules for name in (*owners.get(module, ()), *NEEDED_BY_A_CHECKOUT.get(module, ()))]
    files = {path.resolve() for module in modules for path in of_package(module)}
    for distribution in distributions(names).values():
        files |= {Path(file.locate()).resolve() for file in distribution.files or ()}
    return sum(path.stat().st_size for path in files if path.is_file())
