"""Writes tests/fixtures/text.json: what tf_keras makes of tests/text_cases.py, and a Tokenizer that it pickled.

python tests/write_text_fixtures.py        (needs the extra `compare`)
"""

import base64
import json
import pickle
from pathlib import Path

from text_cases import CASES, PLAIN, as_json, fitted

FILE = Path(__file__).with_name("fixtures") / "text.json"


def main():
    from tf_keras.preprocessing import sequence, text

    results = {name: as_json(function(text, sequence)) for name, function in CASES.items()}
    pickled = pickle.dumps(fitted(text, PLAIN, num_words=6, oov_token="?"))
    results["pickle"] = base64.b64encode(pickled).decode()
    FILE.write_text(json.dumps(results, separators=(",", ":")) + "\n")
    print(f"{FILE.name}: {len(results)} results, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
