"""Models in several threads and processes, and the memory that loops hold."""

import gc
import os
import sys
import threading

import numpy as np
import pytest
from running import run_python
from small_models import classifier, points, sentences, tagger

X, Y = points(23)
IDS, TAGS = sentences()


def test_several_threads_predict_with_one_model():
    model = tagger(mask_zero=True)
    inputs = [np.roll(IDS, i, axis=0)[: 3 + i] for i in range(8)]
    expected = [model.predict(x) for x in inputs]
    wrong = []

    def work(i):
        for _ in range(40):
            if not np.array_equal(model.predict(inputs[i], batch_size=2), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


FORKED = """
    import os, signal, sys
    os.environ["OMP_NUM_THREADS"] = "2"
    import numpy as np
    sys.path[:0] = {path!r}
    import fastkeras as keras

    model = keras.Sequential([keras.layers.Dense(256, input_dim=256), keras.layers.Dense(256)])
    model.compile("sgd", "mse")
    x = np.ones((512, 256), np.float32)
    expected = model.predict(x)                 # two threads have worked
    child = os.fork()
    if child == 0:
        signal.alarm(30)                        # rather than to wait for ever
        same = np.array_equal(model.predict(x), expected)
        model.fit(x, x, verbose=0)
        os._exit(0 if same else 1)
    print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_predicts_and_trains():
    assert run_python(FORKED) == "0\n"


def objects_kept(work, repeats):
    """How many memory blocks of Python stay allocated after so many repeats, once `work` has run a few times; an array
    has at least one, however large its data."""
    for _ in range(5):
        work()
    gc.collect()
    start = sys.getallocatedblocks()
    for _ in range(repeats):
        work()
    gc.collect()
    return sys.getallocatedblocks() - start


def test_predicting_in_a_loop_keeps_memory_flat():
    model = classifier()
    assert objects_kept(lambda: model.predict(X[:1]), 10_000) < 100


def test_building_training_and_dropping_models_keeps_memory_flat():
    def cycle():
        model = tagger(mask_zero=True)
        model.fit(IDS, TAGS, verbose=0, validation_data=(IDS, TAGS))
        model.predict(IDS)

    assert objects_kept(cycle, 100) < 1000, "a model has about 500"
