"""Scripts in processes of their own, through python -m fastkeras."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(folder, source, *arguments, name="script.py", options=()):
    """The finished process of `python -m fastkeras script.py arguments` for a script with this source."""
    script = folder / name
    script.write_text(source)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *options, "-m", "fastkeras", str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)


def output_of(folder, source):
    """What a script prints; it must end well and say nothing on stderr."""
    process = run(folder, source)
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout
