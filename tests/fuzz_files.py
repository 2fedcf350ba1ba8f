"""Damages model files in every way and reads them: the only answers are a model and an error that names the file.

python tests/fuzz_files.py folder count        folder holds model.h5, model.keras and model.weights.h5, whole

It runs in a process of its own, with little memory to take: a crash would end it, and so would a huge allocation.
"""

import random
import resource
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from fastkeras import saving
from fastkeras.saving.inspection import describe


def damaged(content, seed):
    """The bytes with some of them changed, in one of ten cases cut off too; the same for the same seed."""
    chance, content = random.Random(seed), bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 17])):
        place = chance.randrange(len(content))
        content[place] = chance.choice([0, 255, chance.randrange(256), content[place] ^ (1 << chance.randrange(8))])
    return content[: chance.randrange(len(content))] if chance.random() < 0.1 else content


def main(folder, count):
    folder, outcomes = Path(folder), {"read": 0, "refused": 0}
    model = saving.load_model(folder / "model.h5")
    weights = model.get_weights()
    for name in ("model.h5", "model.keras", "model.weights.h5"):
        content, path = (folder / name).read_bytes(), folder / f"damaged_{name}"
        for seed in range(int(count)):
            path.write_bytes(damaged(content, seed))
            try:
                model.load_weights(path) if name == "model.weights.h5" else saving.load_model(path)
                outcomes["read"] += 1
            except (ValueError, OSError) as error:
                outcomes["refused"] += 1
                assert path.name in str(error), (seed, error)
                same = [(a == b).all() for a, b in zip(weights, model.get_weights(), strict=True)]
                assert name != "model.weights.h5" or all(same), (seed, "half loaded")
            model.set_weights(weights)
            with suppress(ValueError, OSError):
                describe(path)
    print(outcomes)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
    main(*sys.argv[1:])
