"""Scripts in processes of their own: through python -m fastkeras, or by themselves."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run_file(folder, path, *arguments, options=()):
    """The finished process of `python -m fastkeras path arguments` in a folder; options: of python."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *options, "-m", "fastkeras", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, timeout=100)


def run(folder, source, *arguments, name="script.py", options=()):
    """The same for a script with this source, which is written into the folder."""
    script = folder / name
    script.write_text(source)
    return run_file(folder, script, *arguments, options=options)


def output_of(folder, source):
    """What a script prints; it must end well and say nothing on stderr."""
    process = run(folder, source)
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


def run_python(code):
    """What code prints that begins with `sys.path[:0] = {path!r}`, for fastkeras and the modules of tests."""
    code = textwrap.dedent(code).format(path=[str(ROOT / "tests"), str(ROOT)])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
