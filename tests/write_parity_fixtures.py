"""Writes tests/fixtures/parity.json: what TensorFlow's Keras makes of tests/parity_cases.py.

python tests/write_parity_fixtures.py        (needs the extra `compare`)
"""

import importlib
import json
import os
from pathlib import Path

from parity_cases import CASES, run

FILE = Path(__file__).with_name("fixtures") / "parity.json"


def main():
    os.environ["KERAS_BACKEND"] = "tensorflow"
    results = {
        f"{case.__name__}-{peer}": run(importlib.import_module(peer), case)
        for case, peers in CASES.items()
        for peer in peers
    }
    FILE.write_text(json.dumps(results, indent=None, separators=(",", ":")) + "\n")
    print(f"{FILE.name}: {len(results)} results, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
