"""What happens at every operation on tensors: its value, and the step that a tape remembers of it.

Compiled, since of an operation on a few numbers this is most of the cost; core/tensor.py says how it is used.
"""

import functools
import threading
from heapq import heappop, heappush

import numpy as np

cimport cython
cimport numpy as cnp
from cpython.object cimport PyObject_TypeCheck, PyTypeObject
from numpy cimport ndarray

from fastkeras._kernels.broadcast cimport add, summed

cnp.import_array()

cdef extern from "numpy/arrayobject.h":
    object PyArray_View(ndarray array, void *descr, PyTypeObject *kind)

cdef extern from "memory.h" nogil:
    void fk_memory_keep() noexcept

cdef type Tensor, Watchable, SymbolicTensor
cdef object call_site_of = None
cdef object FLOAT32 = np.dtype(np.float32), FLOAT64 = np.dtype(np.float64)
cdef Py_ssize_t steps = 0

ufuncs = {}  # {numpy's function: the operation that stands for it when it is called on tensors}


def kinds(type tensor not None, type watchable not None, type symbolic not None):
    """Says which classes are tensors, what a tape may watch besides, and symbols."""
    global Tensor, Watchable, SymbolicTensor
    Tensor, Watchable, SymbolicTensor = tensor, watchable, symbolic


def operations_on_symbols(make):
    """Says what an operation on symbolic tensors does: make(function, args, kwargs) adds a call site to their graph.
    layers/operation.py says it, for which tensors are too far down."""
    global call_site_of
    call_site_of = make


class _Tapes(threading.local):
    """What holds in this thread now.

    recording: the tapes that record, the innermost last. training: whether layers called now are in training, unless
    their calls say so themselves; None if nothing says so. losses: where a layer that is called adds to the loss, or None.
    trained: the layers that the model under way trains, or None if none is.
    """

    recording = ()
    training = None
    losses = None
    trained = None


tapes = _Tapes()


cdef class Tape:
    """What records: the nodes made while it was entered, and which variables it watches; core/tape.py has the rest.

    watches_all: whether it watches every trainable variable. watched: by id, the variables named; kept, so that no
    other object takes an id's place. nodes: all that were made while it recorded.
    """

    cdef public bint watches_all
    cdef public dict watched
    cdef public list nodes

    def __cinit__(self):
        self.watches_all, self.watched, self.nodes = True, {}, []

    def __enter__(self):
        tapes.recording = (*tapes.recording, self)
        return self

    def __exit__(self, *exception):
        tapes.recording = tuple([tape for tape in tapes.recording if tape is not self])

    def give_up(self):
        """Its nodes are needed no more, unless by another tape."""
        nodes, self.nodes = self.nodes, []
        for node in nodes:
            (<Node?>node).keepers -= 1
            if (<Node>node).keepers == 0:
                (<Node>node).clear()

    def __del__(self):
        self.give_up()

    cdef bint watches(self, x):
        return (self.watches_all and x.trainable) or id(x) in self.watched


@cython.trashcan(True)  # a long computation is a long chain of steps, to be forgotten without recursion
cdef class Node:
    """One step of a computation: its value, and its links (source, gradient, shape) to what it was computed from.

    source: a Node, or a Variable. gradient(d, y): the source's gradient for d, that of this step's value y, or None.
    shape: the source's. Numbers grow with time: a node's is larger than its sources'. keepers: how many tapes still need
    it; when the last one gives it up, what leads back goes, though its tensor stays.
    """

    cdef readonly object value, links
    cdef readonly Py_ssize_t number
    cdef public Py_ssize_t keepers

    def __init__(self, value, links=()):
        self.start(value, links, tapes.recording)

    cdef start(self, value, links, tuple recording):
        """What is set first; the tapes that record keep it."""
        global steps
        if steps == 0:
            fk_memory_keep()
        steps += 1
        self.value, self.links, self.number = value, links, steps
        self.keepers = len(recording)
        for tape in recording:
            (<Tape?>tape).nodes.append(self)

    cpdef clear(self):
        self.links = ()

    cpdef list back(self, d):
        """(source, its gradient) for each link, from this step's gradient d: tensors while a tape records, else plain
        arrays."""
        cdef list found = []
        y = self.tensor() if tapes.recording else self.value
        for source, gradient, shape in self.links:
            part = gradient(d, y)
            if part is None:
                continue
            if shape is not None:  # else parts of several outputs
                part = as_type_of(d, part)
                if part.shape != shape:
                    part = summed_to(part, shape)
            found.append((source, part))
        return found

    def tensor(self):
        """The value as the tensor that it was."""
        y = as_kind(<ndarray?>self.value, Tensor)
        y.node = self
        return y


cdef class Formula(Node):
    """A step whose gradients are functions (d, y, *inputs), which so need not close over the inputs.

    inputs: as the operation was given them; values: the arrays and numbers they stand for; sources: what leads back
    from each, or None.
    """

    cdef tuple inputs, values
    cdef list sources

    cpdef clear(self):
        self.inputs = self.values = ()
        self.sources = []

    @cython.boundscheck(True)
    cpdef list back(self, d):
        cdef list found = [], sources = self.sources  # these three as they are now: another thread may clear them
        cdef tuple gradients = self.links, values = self.values
        cdef Py_ssize_t i
        if tapes.recording:
            arguments = (d, self.tensor(), *self._tensors())
        else:
            arguments = (d, self.value, *values)
        for i in range(len(sources)):
            gradient, x = gradients[i], values[i]
            if sources[i] is not None and gradient is not None:
                part = as_type_of(d, gradient(*arguments))
                if not cnp.PyArray_SAMESHAPE(<ndarray?>part, <ndarray?>x):
                    part = summed_to(part, x.shape)
                found.append((sources[i], part))
        return found

    def _tensors(self):
        """The inputs, numbers as they are, the others as tensors."""
        return [
            linked(a, (x, lambda d, y: d)) if isinstance(a, ndarray) and not is_a(x, Tensor) else x
            for x, a in zip(self.inputs, self.values)
        ]


cdef inline bint is_a(object x, type kind):
    return PyObject_TypeCheck(x, <PyTypeObject *>kind)


cdef inline object as_kind(object array, type kind):
    """The same values as an array of another class."""
    return PyArray_View(<ndarray>array, NULL, <PyTypeObject *>kind)


def source_of(x):
    """What leads back from an input: the node of a tensor, a variable that a tape watches, or None."""
    return source(x, tapes.recording)


cdef object source(object x, tuple recording):
    if is_a(x, Tensor):
        node = x.node
        return node if node is not None and (<Node?>node).keepers else None
    if is_a(x, Watchable):
        for tape in recording:
            if (<Tape?>tape).watches(x):
                return x
    return None


cpdef object value(object x):
    """The plain array, or Python's number, that an operation computes with."""
    if isinstance(x, ndarray):
        return as_kind(x, ndarray) if is_a(x, Tensor) else x
    if isinstance(x, (float, int, np.generic)):
        return x
    return x.value if is_a(x, Watchable) else array_of(x)


cdef object array_of(object x):
    """What numpy makes an array of, as one; of Python's numbers float32. A list must hold numbers or texts in rows of
    equal length."""
    try:
        array = np.asarray(x)
        if array.dtype == np.float64:
            return array.astype(np.float32)
        if array.dtype != object or not isinstance(x, (list, tuple)):
            return array
    except ValueError:
        pass  # rows that differ in length
    raise ValueError(f"fastkeras.ops: a list must hold numbers, in rows of equal length. Received: {x!r:.200}")


cdef object typed(object y, inputs):
    """y as an array, float32 where no input was of float64."""
    y = np.asarray(y)
    if (<ndarray>y).descr is FLOAT64:
        for x in inputs:
            if isinstance(x, ndarray) and (<ndarray>x).descr is FLOAT64:
                return y
        return y.astype(np.float32)
    return y


cpdef object computed(object y, tuple gradients, tuple inputs, tuple values):
    """The tensor of y = f(*inputs). gradients: a function (d, y, *inputs) for each input, see Formula, or None where
    there is no slope. values: of the inputs."""
    cdef Formula node
    cdef list sources
    cdef tuple recording = tapes.recording
    if type(y) is not ndarray or (<ndarray>y).descr is not FLOAT32:
        y = typed(y, values)
    tensor = as_kind(y, Tensor)
    if recording:
        sources = [source(x, recording) for x in inputs]
        if any_known(sources):
            node = Formula.__new__(Formula)
            node.start(y, gradients, recording)
            node.inputs, node.values, node.sources = inputs, values, sources
            tensor.node = node
    return tensor


cdef bint any_known(list sources):
    for x in sources:
        if x is not None:
            return True
    return False


def formula(function, doc, *gradients):
    """The operation y = function(x), with its gradient (d, y, x), None without a slope."""

    def call(x):
        if is_a(x, SymbolicTensor):
            return call_site_of(call, (x,), {})
        a = value(x)
        try:
            y = function(a)
        except TypeError as error:
            raise explained(error, call, (x,)) from None
        return computed(y, gradients, (x,), (a,))

    return named(call, function, doc)


def formula2(function, doc, *gradients):
    """The operation y = function(x1, x2), with the gradients (d, y, x1, x2) of both inputs, None without a slope."""

    def call(x1, x2):
        if is_a(x1, SymbolicTensor) or is_a(x2, SymbolicTensor):
            return call_site_of(call, (x1, x2), {})
        a, b = value(x1), value(x2)
        try:
            y = function(a, b)
        except TypeError as error:
            raise explained(error, call, (x1, x2)) from None
        return computed(y, gradients, (x1, x2), (a, b))

    return named(call, function, doc)


cdef object explained(error, call, inputs):
    """What to raise where numpy refuses inputs: an error that names the operation and the first of them that holds no
    numbers, or else numpy's own."""
    for x in inputs:
        try:
            kind = np.asarray(x).dtype.kind
        except ValueError:  # a ragged list
            continue
        if kind not in "biufc":
            return TypeError(f"ops.{call.__name__.removesuffix('_over')}: expected numbers. Received: {x!r:.200}")
    return error


cdef named(call, function, doc):
    call.__name__ = call.__qualname__ = function.__name__.strip("_")
    call.__doc__, call.is_operation = doc, True
    if isinstance(function, np.ufunc):
        ufuncs[function] = call
    return call


def operation(function):
    """Lets a function of tensors take symbolic tensors too, alone or in lists."""

    def call(*args, **kwargs):
        for x in args:
            if has_symbol(x):
                return call_site_of(call, args, kwargs)
        for x in kwargs.values():
            if has_symbol(x):
                return call_site_of(call, args, kwargs)
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            raise explained(error, call, [x for x in args if isinstance(x, (ndarray, list, tuple))]) from None

    functools.update_wrapper(call, function)
    call.is_operation = True
    return call


cdef bint has_symbol(object x):
    if isinstance(x, (list, tuple)):
        for item in x:
            if is_a(item, SymbolicTensor):
                return True
    return is_a(x, SymbolicTensor)


def made(result, *links):
    """The tensor of an operation's result. links: (input, gradient) for each input, see Node; gradient is None where
    there is no slope.

    What numpy made float64 of integers or Python's numbers alone becomes float32.
    """
    return link(typed(result, [x for x, _ in links]), links)


def linked(ndarray y not None, *links):
    """`made` of an array that keeps its type."""
    return link(y, links)


cdef object link(object y, tuple links):
    tensor = as_kind(y, Tensor)
    cdef list known
    cdef tuple recording = tapes.recording
    if recording:
        known = []
        for x, gradient in links:
            if gradient is not None:
                origin = source(x, recording)
                if origin is not None:
                    known.append((origin, gradient, np.shape(x)))
        if known:
            tensor.node = Node(y, known)
    return tensor


# --- the way back ----------------------------------------------------------------------------------------------------


def walk(list targets, list sources):
    """The gradient of the targets' sum for each source, tensors or variables: a tensor, or None where there is none.

    targets: (tensor or variable, its gradient, or None for ones) each. Nodes are taken from the last on: by then all
    that was computed from one has given its gradient. Gradients are plain arrays, unless a tape records them: tensors
    then.
    """
    cdef list origins = [origin_of(x, "source") for x in sources]
    cdef dict sums = {}, found = dict.fromkeys(origins)
    cdef list ahead = []  # the nodes in `sums`
    cdef type kind = Tensor if tapes.recording else ndarray
    for x, d in targets:
        origin = origin_of(x, "target")
        if origin is not None:
            give(sums, ahead, origin, as_kind(ones_like(origin.value) if d is None else np.asarray(d), kind))
    while ahead:
        node = heappop(ahead)[1]
        d = sums.pop(node)
        if node in found:
            found[node] = d
        for origin, part in (<Node>node).back(d):
            give(sums, ahead, origin, part)
    for origin, d in sums.items():  # variables
        if origin in found:
            found[origin] = d
    return [handed_out(found[origin]) for origin in origins]


cdef object origin_of(object x, str role):
    """What the way back leads from or to: a tensor's node, or a variable itself."""
    if is_a(x, Tensor):
        return x.node
    if is_a(x, Watchable):
        return x
    raise TypeError(f"GradientTape.gradient: expected a tensor or variable as {role}. Received: {x!r:.200}")


cdef give(dict sums, list ahead, origin, d):
    """Adds d to the gradient of a node or variable."""
    before = sums.get(origin)
    if before is not None:
        d = add(before, d) if type(before) is ndarray else before + d  # tensors, or Parts
        sums[origin] = as_kind(np.asarray(d), type(before)) if isinstance(d, np.generic) else d
        return
    sums[origin] = d
    if isinstance(origin, Node):
        heappush(ahead, (-(<Node>origin).number, origin))


cdef object as_type_of(object d, object part):
    """A gradient, made from d, as an array of the class of d."""
    if type(part) is type(d):
        return part
    return as_kind(np.asarray(part, d.dtype if isinstance(part, np.generic) else None), type(<ndarray?>d))


cdef object ones_like(object array):
    cdef ndarray y = <ndarray?>array
    ones = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(y), cnp.PyArray_DIMS(y), cnp.PyArray_TYPE(y), 0)
    ones.fill(1)
    return ones


cdef object handed_out(object d):
    """A gradient as a tensor whose elements lie side by side and may be written to, or None."""
    if d is None or is_a(d, Tensor):
        return d
    if not cnp.PyArray_ISCARRAY(<ndarray?>d):
        d = cnp.PyArray_NewCopy(d, cnp.NPY_CORDER)
    return as_kind(d, Tensor)


cdef object summed_to(d, tuple shape):
    """The gradient of an input of this shape, given that of the input as repeated by broadcasting."""
    cdef Py_ssize_t front = d.ndim - len(shape)
    cdef object total = d
    cdef tuple repeated = tuple([i for i in range(len(shape)) if front >= 0 and shape[i] == 1 != d.shape[front + i]])
    if front > 0:
        total = summed(total, tuple(range(front)))
    if repeated:
        total = summed(total, repeated, True)
    total = as_type_of(d, total)
    if total.shape != shape:
        raise ValueError(
            f"GradientTape.gradient: the gradient of an input of shape {shape} must have that shape, or what it was "
            f"repeated to. Received: shape {d.shape}"
        )
    return total
