"""What tf of fastkeras.compat and TensorFlow itself must print alike: run as a script under both."""

import numpy as np
import tensorflow as tf


def show(name, *values):
    """Prints values, each with its type and shape, tensors and arrays alike; floats to four digits."""
    print(name, *(described(value) for value in values))


def described(value):
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    array = np.asarray(value)
    digits = [float(f"{v:.4g}") for v in array.ravel()] if array.dtype.kind == "f" else array.ravel().tolist()
    return f"{array.dtype.name}{list(array.shape)}{digits}"


a = tf.constant([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]])
b = tf.constant([[2.0, 1.0, 0.5], [1.5, -1.0, 3.0]])
i = tf.constant([[3, 1, 2], [0, 5, 4]])

ONE = "abs exp negative reciprocal sigmoid sign sin softplus square tanh zeros_like ones_like identity"
TWO = "add subtract multiply divide maximum minimum less greater_equal equal"
REDUCED = "sum mean max min prod std variance logsumexp"
for name in ONE.split():
    show(name, getattr(tf if hasattr(tf, name) else tf.math, name)(a))
for name in TWO.split():
    show(name, getattr(tf, name)(a, b))
for name in REDUCED.split():
    reduce = getattr(tf.math, f"reduce_{name}")
    show(name, reduce(a), reduce(a, axis=1), reduce(a, axis=[0, 1], keepdims=True))
show("any all", tf.reduce_any(a > 3), tf.reduce_all(a > -5, axis=0))
show("making", tf.zeros([2, 1]), tf.ones((2,), tf.int32), tf.fill([2], 7), tf.eye(2), tf.constant(5, shape=[2]))
show("range", tf.range(4), tf.range(1, 2, 0.5), tf.linspace(0.0, 1.0, 3))
show("one_hot", tf.one_hot([2, 0, -1], 3), tf.one_hot([1], 2, on_value=5.0, off_value=-1.0), tf.one_hot([1], 2, axis=0))
show("cast", tf.cast(a, tf.int32), tf.cast(i, tf.float32), tf.convert_to_tensor([1, 2]), tf.convert_to_tensor([1.5]))
show(
    "shapes",
    tf.reshape(a, [3, -1]),
    tf.transpose(a),
    tf.expand_dims(a, 0),
    tf.squeeze([[[1.0]], [[2.0]]]),
    int(tf.rank(a)),
)
show("together", tf.concat([a, b], axis=1), tf.stack([a, b], axis=1), tf.unstack(a), tf.tile([[1, 2]], [2, 2]))
show("split", tf.split(a, 3, axis=1), tf.split(tf.range(6), [1, 2, 3]))
show("order", tf.reverse(a, [1]), tf.roll(i, 1, 1), tf.repeat([1, 2], 2), tf.sort(a, direction="DESCENDING"))
show("places", tf.argmax(a), tf.argmin(a, axis=1), tf.argsort(i), tf.where([False, True, True]), tf.where(a > 0, a, b))
show(
    "pad",
    tf.pad(i, [[1, 0], [0, 2]]),
    tf.pad(i, [[0, 0], [1, 1]], "REFLECT"),
    tf.pad([1.0], [[1, 1]], constant_values=9),
)
show("gather", tf.gather(a, [1, 0, 1]), tf.gather(a, [2], axis=1), tf.boolean_mask(a, a > 0), tf.unique([3, 1, 3])[0])
show("cumsum", tf.cumsum(a, axis=1), tf.cumsum([1, 2, 3], exclusive=True), tf.cumsum([1, 2, 3], reverse=True))
show("matmul", tf.matmul(a, b, transpose_b=True), tf.tensordot(a, b, axes=[[1], [1]]), tf.einsum("ij,kj->ik", a, b))
show("clip", tf.clip_by_value(a, -1.0, 2.0), tf.clip_by_norm(a, 2.0), tf.clip_by_global_norm([a, b], 3.0)[0])
show("norm", tf.norm(a), tf.norm(a, axis=1), tf.math.l2_normalize(a, axis=1), tf.math.squared_difference(a, b))
show(
    "top_k",
    tf.math.top_k(a, 2)[0],
    tf.math.top_k(a, 2)[1],
    tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]),
    tf.add_n([a, b]),
)
show("relu", tf.nn.relu(a), tf.nn.leaky_relu(a), tf.nn.elu(a), tf.nn.gelu(a), tf.nn.silu(a), tf.nn.relu6(2 * a))
show("softmax", tf.nn.softmax(a), tf.nn.log_softmax(a, axis=0))
show("losses", tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.nn.sigmoid(b), logits=a))
show("losses", tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(b), logits=a))
show("losses", tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[2, 0], logits=a), tf.nn.l2_loss(a))
show("nn", tf.nn.bias_add(a, [1.0, 2.0, 3.0]), tf.nn.moments(a, axes=[0]), tf.nn.embedding_lookup(a, [1, 1]))
x = tf.reshape(tf.range(40.0) % 7.0, [1, 4, 5, 2])
w = tf.reshape(tf.range(36.0) % 5.0, [3, 3, 2, 2])
show("conv", tf.nn.conv2d(x, w, 2, "SAME"), tf.nn.conv2d(x, w, strides=[1, 1, 2, 1], padding="VALID"))
show("conv", tf.nn.conv1d(x[0], w[0], 1, "SAME"), tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "VALID"))
show(
    "conv",
    tf.nn.conv2d_transpose(x, w[:, :, :1], [1, 8, 9, 1], 2),
    tf.nn.conv2d_transpose(x, w, (1, 6, 7, 2), 1, "VALID"),
)
show("pool", tf.nn.max_pool2d(x, 2, 2, "SAME"), tf.nn.avg_pool2d(x, [1, 3, 2, 1], [1, 1, 2, 1], "VALID"))
show("pool", tf.nn.max_pool(x[0], [2], [1], "VALID"), tf.nn.avg_pool(x, 2, 1, "SAME"))
show(
    "random", list(tf.random.normal([2, 3]).shape), tf.random.uniform([4], 5, 6, tf.int32), list(tf.shape(a)) == [2, 3]
)
show(
    "loop",
    int(tf.while_loop(lambda n: n < 5, lambda n: (n + 2,), (0,))[0]),
    tf.cond(tf.constant(True), lambda: 1, lambda: 2),
)

refused = 0
for shape in (None, (2, None), [None, 3], (2, 3), (3, 3), (2, 3, 1), ()):
    try:
        assert a.set_shape(shape) is None
    except ValueError:
        refused += 1
show("set_shape", refused)

w = tf.Variable(tf.constant([[1.0], [2.0], [3.0]]))
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(tf.matmul(a, w) - [[1.0], [2.0]])) + tf.reduce_sum(tf.concat([w, w], 0))
gradient = tape.gradient(loss, w)
w.assign_sub(0.1 * gradient)
show("variable", w.read_value(), list(w.get_shape()))
show("tape", loss, gradient, w.numpy(), tf.Variable(2).numpy(), tf.Variable([1.5], trainable=False).trainable)

Dataset = tf.data.Dataset
rows = Dataset.from_tensor_slices((np.arange(14.0).reshape(7, 2), np.arange(7)))


def shown(name, dataset):
    show(name, list(dataset.as_numpy_iterator()), int(dataset.cardinality()))


shown("batch", rows.batch(3))
shown("rest", rows.batch(3, drop_remainder=True))
shown("map", rows.map(lambda x, y: (2 * x, y)).skip(5))
shown("filter", Dataset.range(7).filter(lambda n: n % 3 == 0))
shown("repeat", Dataset.range(2, 5).repeat(2).take(5).enumerate())
shown("zip", Dataset.zip((Dataset.range(3), Dataset.range(10, 12).concatenate(Dataset.range(1)))))
shown("window", Dataset.range(7).window(3, shift=2, drop_remainder=True).flat_map(lambda part: part.batch(3)))
shown("short", Dataset.range(5).window(3, shift=3).flat_map(lambda part: part.batch(3)))
shown(
    "strides", Dataset.range(9).window(2, shift=4, stride=2, drop_remainder=True).flat_map(lambda part: part.batch(2))
)
shown("unbatch", rows.batch(4).unbatch().shard(3, 1))
show("dict", next(iter(Dataset.from_tensor_slices({"x": [1.0, 2.0], "y": [3, 4]}).batch(2)))["y"])
show("shuffle", sorted(int(n) for n in Dataset.range(9).shuffle(4, seed=1).cache().prefetch(2)))
show("endless", int(rows.repeat().cardinality()), [y for _, y in rows.repeat().skip(6).take(2)])
shown("interleave", Dataset.range(1, 6).interleave(lambda n: Dataset.range(n, 8 + n), cycle_length=2, block_length=3))
shown("uneven", Dataset.range(5).interleave(lambda n: Dataset.range(2 * n), cycle_length=3))
shown("types", Dataset.from_generator(lambda: iter([(1, 2), (3, 4)]), output_types=(tf.float32, tf.int64)).batch(2))
ragged = Dataset.from_generator(
    lambda: (([i] * (i + 1), i, ["a"] * i) for i in range(4)),
    output_signature=(
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((), tf.int32),
        tf.TensorSpec((None,), tf.string),
    ),
)
shown("padded", ragged.padded_batch(3))
shown("padded", ragged.padded_batch(2, ([5], [], [None]), (tf.constant(-1), 0, "-"), drop_remainder=True))
shown("while", Dataset.range(9).take_while(lambda n: n < 3).apply(lambda part: part.skip(1)))
show("reduce", Dataset.range(5).reduce(np.int64(0), lambda total, n: total + n))
show("reduce", rows.reduce((0.0, 1), lambda state, row: (state[0] + 1.0, state[1] * 2)))


def specified(name, dataset):
    print(name, dataset.element_spec)


specified("spec", rows)
specified("spec of a dict", Dataset.from_tensor_slices(({"x": [1.0, 2.0], "y": ["a", "b"]}, [True, False])).shuffle(2))
specified("spec of batches", rows.repeat().batch(3).prefetch(1))
specified("spec of whole batches", rows.batch(3, drop_remainder=True).cache())
specified("spec of padded batches", ragged.padded_batch(3))
specified("spec of padded batches", ragged.padded_batch(2, ([5], [], [None])))
specified("spec of mapped rows", rows.map(lambda x, y: (tf.cast(x, tf.float32) / 2, tf.one_hot(y, 7))))
specified("spec of mapped batches", rows.batch(3).map(lambda x, y: {"x": x[:, :1], "y": tf.reduce_sum(y)}))
specified("spec of types", Dataset.from_generator(lambda: iter([(1, 2)]), output_types=(tf.float32, tf.int64)))
specified("spec of pairs", Dataset.zip((rows.batch(2).unbatch(), Dataset.range(3).filter(lambda n: n > 1))).enumerate())
specified("spec of both", rows.batch(3, drop_remainder=True).concatenate(rows.batch(4, drop_remainder=True)))
specified("spec of windows", Dataset.range(7).window(3).flat_map(lambda part: part.batch(3)))
specified(
    "spec of parts", Dataset.range(7).interleave(lambda n: Dataset.from_tensors((n, 2 * n))).filter(lambda x, y: x < y)
)
print("specs", tf.TensorSpec((None, 2), tf.int32) == tf.TensorSpec([None, 2], tf.int32), tf.TensorSpec([3], name="x"))

texts = tf.constant(["The cat, <br />the DOG", "  \u00c9t\u00e9 an\tant \n", ""])
lower = tf.strings.lower(texts)
show("strings", texts, texts[0], tf.constant("one"), tf.convert_to_tensor(b"two"), tf.constant([["a"], ["b"]]))
show("case", lower, tf.strings.upper(texts), tf.strings.lower(texts, encoding="utf-8"), tf.strings.strip(texts))
show(
    "regex",
    tf.strings.regex_replace(lower, "<br />", " "),
    tf.strings.regex_replace("aXbX", "(X)", r"[\1\0]\\0", False),
)
show("regex", tf.strings.regex_full_match(texts, ".*DOG"), tf.strings.regex_replace(texts, r"[\\s,]+", "_"))
show("length", tf.strings.length(texts), tf.strings.length(texts, unit="UTF8_CHAR"), tf.strings.substr(texts[0], 4, 3))
show("substr", tf.strings.substr(texts[1], -6, 2), tf.strings.substr(texts[1], 2, 3, unit="UTF8_CHAR"))
show("split", tf.strings.split(texts[1]), tf.strings.split("a,b,,c", ","), tf.strings.split("a b c", maxsplit=1))
show("rows", list(tf.strings.split(texts)), list(tf.strings.unicode_split(["ab", "c"], "UTF-8")))
show("characters", tf.strings.unicode_split("\u00e9t", "UTF-8"), tf.strings.bytes_split("\u00e9t"))
show("join", tf.strings.join([["a", "b"], ["c", "d"]], "-"), tf.strings.join(["x", texts]))
pairs = [["a", "b"], ["c", "d"]]
show("reduce_join", tf.strings.reduce_join(pairs), tf.strings.reduce_join(pairs, 0), tf.strings.reduce_join(pairs, -1))
show(
    "reduce_join", tf.strings.reduce_join(pairs, 1, True, "+"), tf.strings.reduce_join(tf.strings.split(texts), axis=-1)
)
show("numbers", tf.strings.to_number(["1.5", "-2"]), tf.strings.to_number("7", tf.int64), tf.strings.as_string([1, 20]))
show(
    "written",
    tf.strings.as_string([1.5, 2.25]),
    tf.strings.as_string([True]),
    tf.strings.as_string([1.25], precision=1),
)
show("hash", tf.strings.to_hash_bucket_fast(texts, 7), tf.strings.to_hash_bucket_strong(texts, 7, key=[1, 2]))
shown("texts", Dataset.from_tensor_slices((texts, [1, 0, 1])).map(lambda x, y: (tf.strings.length(x), y)).batch(2))
shown("words", Dataset.from_tensor_slices({"w": ["a", "b"]}).map(lambda row: tf.expand_dims(row["w"], -1)).batch(2))
print(
    [text.numpy() for text in Dataset.from_tensor_slices(["a", "b"])], texts.numpy()[0].decode(), (texts == "").numpy()
)
