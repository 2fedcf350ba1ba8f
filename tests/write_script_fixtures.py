"""Writes tests/fixtures/scripts.json: what TensorFlow computes in the scripts of tests/scripts.

python tests/write_script_fixtures.py [NAME ...]        (needs the extra `compare`; all take minutes)
"""

import json
import sys
from pathlib import Path

from script_cases import PEERS, run_with_tensorflow

FILE = Path(__file__).with_name("fixtures") / "scripts.json"


def rounded(value):
    """Floats to 7 digits, as many as float32 holds."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return {key: rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


def main(*names):
    recorded = json.loads(FILE.read_text()) if names else {}
    for peer in ("keras", "tf_keras"):
        wanted = [name for name in names or PEERS if PEERS[name] == peer]
        if wanted:
            recorded |= run_with_tensorflow(wanted, peer, eagerly=False)
    lines = (json.dumps({name: rounded(recorded[name])}, separators=(",", ":"))[1:-1] for name in sorted(recorded))
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
