"""Writes tests/fixtures/keras_files.zip: the files that Keras 3 and tf_keras make of tests/file_cases.py.

python tests/write_file_fixtures.py        (needs the extra `compare`)

For each case and peer there is a whole model .h5, its weights .weights.h5 (and _weights.h5 from tf_keras, which alone
writes that layout), its architecture .json, and _results.json: its predictions, and the history of training on.
"""

import importlib
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from file_cases import CASES, FIT, PEERS, predictions

FILE = Path(__file__).with_name("fixtures") / "keras_files.zip"


def write(keras, case, folder):
    """All files of a case, in the folder."""
    model, x, y = case(keras)
    start = f"{folder}/{keras.__name__}_{case.__name__}"
    model.save(f"{start}.h5")
    model.save_weights(f"{start}.weights.h5")
    if keras.__name__ == "tf_keras":
        model.save_weights(f"{start}_weights.h5")
    Path(f"{start}.json").write_text(model.to_json())
    results = {"predictions": [np.round(p, 7).tolist() for p in predictions(model, x)]}
    if y is not None:
        results["history"] = model.fit(x, y, **FIT).history
    Path(f"{start}_results.json").write_text(json.dumps(results))


def main():
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(FILE, "w", zipfile.ZIP_LZMA) as archive:
        for case in CASES:
            for peer in PEERS:
                write(importlib.import_module(peer), case, folder)
        for path in sorted(Path(folder).iterdir()):
            archive.write(path, path.name)
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
