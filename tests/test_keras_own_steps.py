"""Steps, layers and models of the user's own against Keras, live."""

import importlib

import call_cases
import numpy as np
import pytest
import step_cases
from checks import assert_close
from live import keras_module, needs_tensorflow

import fastkeras

CASES = {**step_cases.CASES, **call_cases.CASES}


@needs_tensorflow
@pytest.mark.parametrize("name", CASES)
def test_code_of_the_users_own_computes_and_trains_as_in_keras(name):
    keras, tensorflow = keras_module(), importlib.import_module("tensorflow")
    expected = CASES[name](keras, tensorflow.GradientTape)
    got = CASES[name](fastkeras, fastkeras.GradientTape)
    assert sorted(got) == sorted(expected)
    for key, value in expected.items():
        pairs = zip(got[key], value, strict=True) if key in ("weights", "gradients") else [(got[key], value)]
        for one, other in pairs:  # the gradient of an embedding is IndexedSlices in TensorFlow
            assert_close(one, tensorflow.convert_to_tensor(other), 1e-4, key)


@needs_tensorflow
def test_weights_of_a_model_with_a_call_go_both_ways(tmp_path):
    theirs, ours = call_cases.network(keras_module()), call_cases.network(fastkeras)
    for kind, (one, other) in {"theirs": (theirs, ours), "ours": (ours, theirs)}.items():
        path = str(tmp_path / f"{kind}.weights.h5")
        one.set_weights([w + 0.1 for w in one.get_weights()])
        one.save_weights(path)
        other.load_weights(path)
        assert_close(ours(call_cases.X), theirs(call_cases.X), 1e-5)


@needs_tensorflow
def test_a_model_with_a_call_goes_both_ways_whole(tmp_path):
    modules = keras_module(), fastkeras
    for writer, reader in (modules, modules[::-1]):
        path = str(tmp_path / f"{writer.__name__}.keras")
        call_cases.network(reader)  # registers the class
        writer.utils.set_random_seed(5)
        model = call_cases.network(writer)
        model.compile(writer.optimizers.SGD(0.01, momentum=0.9), "mse")
        model.fit(call_cases.X, call_cases.Y, verbose=0)
        model.save(path)
        again = reader.saving.load_model(path)
        assert again.name == model.name and int(again.optimizer.iterations) == 1
        assert_close(again(call_cases.X), model(call_cases.X), 1e-5)
        losses = [m.fit(call_cases.X, call_cases.Y, verbose=0).history["loss"][0] for m in (again, model)]
        assert abs(losses[0] - losses[1]) < 1e-5
        assert_close(again(call_cases.X), model(call_cases.X), 1e-4)


def of_texts(keras):
    class OfTexts(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.words = keras.layers.TextVectorization(output_sequence_length=5)
            self.embedding, self.last = keras.layers.Embedding(11, 3), keras.layers.Dense(1)

        def call(self, x):
            return self.last(keras.ops.mean(self.embedding(self.words(x)), axis=1))

    return OfTexts


@needs_tensorflow
def test_a_model_of_texts_goes_both_ways_whole(tmp_path):
    keras, texts = keras_module(), ["the cat sat", "a dog ran far", "the dog sat"]
    for writer, reader in ((keras, fastkeras), (fastkeras, keras)):
        path = str(tmp_path / f"{writer.__name__}.keras")
        model = of_texts(writer)()
        model.words.adapt(texts)
        model.compile("adam", "mse")
        model.train_on_batch(writer.ops.convert_to_tensor(texts), np.ones((3, 1)))
        model.save(path)
        again = reader.saving.load_model(path, custom_objects={"OfTexts": of_texts(reader)})
        assert again.words.get_vocabulary() == model.words.get_vocabulary()
        assert int(again.optimizer.iterations) == 1
        y, wanted = (m(k.ops.convert_to_tensor(texts)) for m, k in ((again, reader), (model, writer)))
        assert_close(y, wanted, 1e-5)
