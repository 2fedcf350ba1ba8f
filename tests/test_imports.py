"""How the library's files import each other: one way, in no circles."""

import ast
import graphlib
from pathlib import Path

import fastkeras

ROOT = Path(fastkeras.__file__).parent.parent
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.glob("fastkeras/**/*.py"))
}


def imported_by(path):
    """The library's modules that a file names in import statements, those in functions included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {name if (name := f"{node.module}.{alias.name}") in FILES else node.module for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & FILES.keys()


def test_no_file_imports_what_imports_it():
    """The root is left out: it finds the others by name, when they are first asked for."""
    graph = {name: imported_by(path) - {"fastkeras", name} for name, path in FILES.items()}
    assert "fastkeras.layers.layer" in graph["fastkeras.layers.core"]
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the files of a circle
