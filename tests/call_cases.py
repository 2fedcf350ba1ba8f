"""Layers and models with a `call` of their own, as scripts write them: each case once, for fastkeras and for Keras.

case(keras, tape) -> what it computes, {name: array or list of arrays}. tape: the class GradientTape.
"""

import numpy as np
from step_cases import with_weights

RNG = np.random.default_rng(23)
X = RNG.normal(size=(7, 3)).astype(np.float32)
Z = RNG.normal(size=(7, 3)).astype(np.float32)
Y = RNG.normal(size=(7, 2)).astype(np.float32)
IDS = RNG.integers(1, 9, (7, 5))
IDS[0, 3:], IDS[1, 1:], IDS[2, 2:], IDS[5, 4:] = 0, 0, 0, 0
STEPS = RNG.integers(0, 2, (7, 5))
SIGNALS = RNG.normal(size=(7, 5, 3)).astype(np.float32)


def taken_back(tape, model, function, *sources):
    """function()'s value, and its gradients for the model's weights and for tensors."""
    with tape() as recorder:
        for source in sources:
            recorder.watch(source)
        loss = function()
    found = recorder.gradient(loss, [*model.trainable_variables, *sources])
    return {"loss": np.asarray(loss), "gradients": found}


def fitted(model, x, y, **options):
    history = model.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False, **options).history
    return {"history": history["loss"], "weights": model.get_weights()}


def arguments(keras, tape):
    """More than one argument, tensors among them and plain ones, by place and by name."""
    ops = keras.ops

    class Gate(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], 3), initializer="ones", name="w")

        def call(self, x, other, scale=1.0, bias=None, invert=False, training=None):
            gate = ops.sigmoid(ops.matmul(other, self.w))
            y = x * (1 - gate if invert else gate) * scale
            return y if bias is None else y + bias

    layer = Gate()
    x, z = ops.convert_to_tensor(X), ops.convert_to_tensor(Z)
    layer(x, z)
    found = taken_back(tape, layer, lambda: ops.sum(layer(x, z, scale=2.0) ** 2), x, z)
    a, b = keras.Input((3,)), keras.Input((3,))
    h = Gate(name="one")(a, b, scale=0.5)
    h = Gate(name="two")(h, other=keras.layers.Dense(3)(b), bias=a, invert=True)
    model = with_weights(keras.Model([a, b], keras.layers.Dense(2)(h)))
    model.compile("sgd", "mse")
    return {**found, "eager": layer(x, z, bias=x, invert=True), "graph": model([X, Z]), **fitted(model, [X, Z], Y)}


def structures(keras, tape):
    """A dict of tensors in, a dict or nested lists out; build with the shapes in their structure."""
    ops = keras.ops

    class Mix(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape["left"][-1], 2), initializer="ones", name="w")

        def call(self, inputs):
            left = ops.matmul(inputs["left"], self.w)
            return {"sum": left + ops.matmul(inputs["right"], self.w), "parts": [left, (left * 2, inputs["right"])]}

    class Pair(keras.layers.Layer):
        def build(self, input_shape):
            assert [tuple(shape)[-1] for shape in input_shape] == [3, 3]
            self.w = self.add_weight(shape=(3,), initializer="ones", name="w")

        def call(self, inputs):
            a, b = inputs
            return a * self.w, ops.tanh(b)

    layer = Mix()
    out = layer({"left": X, "right": Z})
    assert isinstance(out["parts"][1], tuple)
    found = taken_back(tape, layer, lambda: ops.sum(layer({"left": X, "right": Z})["parts"][1][0] ** 2))
    a, b = keras.Input((3,)), keras.Input((3,))
    first, second = Pair()([a, b])
    mixed = Mix()({"right": second, "left": first})
    model = with_weights(keras.Model([a, b], mixed["sum"] + mixed["parts"][0]))
    model.compile("sgd", "mse")
    return {**found, "sum": out["sum"], "right": out["parts"][1][1], "graph": model([X, Z]), **fitted(model, [X, Z], Y)}


def model_of_dicts(keras, tape):
    """A subclassed model on a dict of inputs, which gives a dict of outputs."""

    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = keras.layers.Dense(2, name="a"), keras.layers.Dense(1, name="b")

        def call(self, inputs, training=None):
            h = inputs["x"] * inputs["z"]
            return {"first": self.a(h), "second": self.b(h)}

    model, x = Two(), {"x": X, "z": Z}
    model(x)
    with_weights(model)
    model.compile("sgd", {"first": "mse", "second": "mae"})
    y = {"first": Y, "second": Y[:, :1]}
    predicted = model.predict(x, verbose=0)
    return {**predicted, "eager": model(x)["first"], "losses": model.evaluate(x, y, verbose=0), **fitted(model, x, y)}


def masks(keras, tape):
    """Masks that travel with the tensors: inside a call, between layers called on data, to a call's `mask`."""
    ops = keras.ops

    class Mean(keras.layers.Layer):
        def call(self, x, mask=None):
            kept = ops.cast(mask, "float32")[..., None]
            return ops.sum(x * kept, axis=1) / ops.sum(kept, axis=1)

    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = keras.layers.Embedding(9, 3, mask_zero=True)
            self.lstm = keras.layers.LSTM(4, return_sequences=True)
            self.mean, self.last = Mean(), keras.layers.Dense(2)

        def call(self, ids):
            return self.last(self.mean(self.lstm(self.embedding(ids))))

    model = Reader()
    model(IDS)
    with_weights(model)
    found = taken_back(tape, model, lambda: ops.sum(model(IDS) ** 2))
    embedded = model.embedding(IDS)
    states = model.lstm(embedded)
    assert np.array_equal(np.asarray(states._keras_mask), IDS != 0)
    bare = model.lstm(ops.convert_to_tensor(np.asarray(embedded)))
    model.compile("sgd", "mse")
    predicted = model.predict(IDS, verbose=0)
    return {**found, "states": states[:, -1], "bare": bare[:, -1], "predicted": predicted, **fitted(model, IDS, Y)}


def tagger(keras, tape):
    """A mask that comes out of a call, weighs the loss, and passes a layer that supports masking."""

    class Twice(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, x):
            return 2 * x

    class Tagger(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = keras.layers.Embedding(9, 3, mask_zero=True)
            self.gru = keras.layers.GRU(4, return_sequences=True)
            self.twice, self.last = Twice(), keras.layers.Dense(1, activation="sigmoid")

        def call(self, ids):
            return self.last(self.twice(self.gru(self.embedding(ids))))

    model = Tagger()
    model(IDS)
    with_weights(model)
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    y = STEPS[..., None].astype(np.float32)
    loss = keras.losses.BinaryCrossentropy()(y, model(IDS))
    return {"loss": loss, "evaluated": model.evaluate(IDS, y, batch_size=7, verbose=0), **fitted(model, IDS, y)}


def added(keras, tape):
    """add_loss in a model's call and in layers of layers; a variational layer's own train_step reads self.losses."""
    ops = keras.ops

    class Size(keras.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * ops.mean(ops.square(x)))
            return x

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(3, kernel_regularizer="l2")
            self.size, self.last = Size(), keras.layers.Dense(2)

        def call(self, x):
            y = self.last(self.size(self.first(x)))
            self.add_loss(0.2 * ops.sum(ops.square(y)))
            return y

    model = Own()
    model(X)
    with_weights(model)
    found = taken_back(tape, model, lambda: ops.sum(model(X)) + sum(model.losses))
    losses = sorted(float(loss) for loss in model.losses)
    model.compile("sgd", "mse")
    return {**found, "losses": losses, **fitted(model, X, Y), "after": len(model.losses)}


def told_masks(keras, tape):
    """Layers that must be told a mask, in a graph: one that an embedding makes and others hand on."""
    ops = keras.ops

    class Weighed(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, x, mask=None):
            assert mask is not None
            x = ops.exp(x) * ops.expand_dims(ops.cast(mask, "float32"), -1)
            return x / ops.sum(x, axis=1, keepdims=True)

    class Both(keras.layers.Layer):
        def call(self, inputs, mask=None):
            one, other = mask
            assert one is not None and other is None
            return inputs[0] * ops.cast(one, "float32")[..., None] + inputs[1]

    ids, plain = keras.Input((None,), dtype="int32"), keras.Input((None, 3))
    words = keras.layers.Embedding(9, 3, mask_zero=True)
    read = keras.layers.Dense(3)(words(ids))
    read = Weighed()(keras.layers.Add()([read, keras.layers.Dense(3)(read)]))
    model = with_weights(keras.Model([ids, plain], keras.layers.Dense(2)(Both()([read, plain]))))
    model.compile("sgd", "mse")
    assert words.supports_masking
    return {"y": model([IDS, SIGNALS]), **fitted(model, [IDS, SIGNALS], SIGNALS[..., :2])}


def normalized_cell(keras, tape):
    """A cell that holds a cell and a normalization, read by RNN, with a metric of the last step."""
    ops = keras.ops

    class Normalized(keras.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.state_size = self.output_size = units
            self.cell = keras.layers.SimpleRNNCell(units, activation=None)
            self.norm = keras.layers.LayerNormalization()

        def call(self, inputs, states):
            y, _ = self.cell(inputs, states)
            y = ops.tanh(self.norm(y))
            return y, [y]

    def last(y_true, y_pred):
        return ops.mean(ops.square(y_true[:, -1] - y_pred[:, -1]), axis=-1)

    stack = [keras.layers.RNN(Normalized(n), return_sequences=True) for n in (4, 3)]
    model = keras.Sequential([keras.Input((None, 3)), *stack, keras.layers.TimeDistributed(keras.layers.Dense(2))])
    model(SIGNALS)
    model = with_weights(model)
    model.compile("sgd", "mse", metrics=[last])
    scores = model.evaluate(SIGNALS, SIGNALS[..., 1:], verbose=0)
    return {"scores": scores, **fitted(model, SIGNALS, SIGNALS[..., :2])}


def skip_grams(keras, tape):
    """word2vec: a pair of arrays as the only argument, two embeddings, and their products by einsum."""

    class Word2Vec(keras.Model):
        def __init__(self):
            super().__init__()
            self.target = keras.layers.Embedding(9, 4, name="target")
            self.context = keras.layers.Embedding(9, 4)

        def call(self, pair):
            target, context = pair
            if len(target.shape) == 2:
                target = keras.ops.squeeze(target, axis=1)
            return keras.ops.einsum("be,bce->bc", self.target(target), self.context(context))

    pair, labels = (IDS[:, 0], IDS), np.eye(5)[STEPS.sum(axis=1) % 5]
    model = Word2Vec()
    model(pair)
    model = with_weights(model)
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    return {**fitted(model, pair, labels), "target": model.get_layer("target").get_weights()[0]}


def other_steps(keras, tape):
    """A model evaluated and trained on more steps than the first data had."""

    class First(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model, x = First(), SIGNALS
    model(x[:, :1])
    model = with_weights(model)
    model.compile("sgd", "mse", metrics=["mae"])
    scores = [model.evaluate(x[:, :n], x[:, :n, 1:], verbose=0) for n in (1, 5)]
    return {"scores": scores, "predicted": model.predict(x, verbose=0), **fitted(model, x, x[..., :2])}


def masked_queries(keras, tape):
    """Attention of masked queries: the mask that the query carries counts, that of the call does not."""
    embedding, attention = keras.layers.Embedding(9, 3, mask_zero=True), keras.layers.MultiHeadAttention(2, 3)
    embedding(IDS)
    attention(SIGNALS, SIGNALS)
    with_weights(embedding), with_weights(attention)
    found, masks = {}, {"value_mask": STEPS == 1, "query_mask": IDS > 0}
    for carried in (True, False):
        query = embedding(IDS) if carried else keras.ops.convert_to_tensor(SIGNALS)
        told = {"value_mask": masks["value_mask"]} if carried else masks
        y, scores = attention(query, SIGNALS, return_attention_scores=True, **told)
        query = embedding(IDS) if carried else query
        found |= {f"y {carried}": y, f"scores {carried}": scores, f"alone {carried}": attention(query, SIGNALS, **told)}
    return found


def network(keras):
    """A model with layers in a list, under names before and after `layers`, and a layer of its own."""

    class Scaled(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.dense, self.norm = keras.layers.Dense(units), keras.layers.BatchNormalization()

        def build(self, input_shape):
            self.w = self.add_weight(shape=(1,), initializer="ones", name="w")

        def call(self, x, training=None):
            return self.norm(self.dense(x), training=training) * self.w

    @keras.saving.register_keras_serializable("cases")
    class Network(keras.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.blocks, self.out = [Scaled(4), Scaled(3)], keras.layers.Dense(units)
            self.encoder = keras.layers.LSTM(3)

        def call(self, x, training=None):
            for block in self.blocks:
                x = block(x)
            return self.out(x) + keras.ops.sum(self.encoder(x[:, None, :]))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    model = Network(2)
    model(X)
    return model


CASES = {
    case.__name__: case
    for case in (
        arguments,
        structures,
        model_of_dicts,
        masks,
        tagger,
        added,
        other_steps,
        masked_queries,
        told_masks,
        normalized_cell,
        skip_grams,
    )
}
