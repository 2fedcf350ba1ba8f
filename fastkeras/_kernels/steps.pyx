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
    their calls say so themselves. losses: where a layer that is called adds to the loss, or None.
    trained: the layers that the model under way trains, or None if none is.
    """

    recording = ()
    training = False
    losses = None
    trained = None


tapes = _Tapes()


@cython.trashcan(True)  # a long computation is a long chain of steps, to be forgotten without recursion
cdef class Node:
    """One step of a computation: its value, and its links (source, gradient, shape) to what it was computed from.

    source: a Node, or a Variable. gradient(d, y): the source's gradient for d, that of this step's value y. shape: the
    source's. Numbers grow with time: a node's is larger than its sources'. keepers: how many tapes still need it; when
    the last one gives it up, what leads back goes, though its tensor stays.
    """

    cdef readonly object value, links
    cdef readonly Py_ssize_t number
    cdef public Py_ssize_t keepers

    def __init__(self, value, links=()):
        global steps
        if steps == 0:
            fk_memory_keep()
        steps += 1
        self.value, self.links, self.number = value, links, steps
        recording = tapes.recording
        self.keepers = len(recording)
        for tape in recording:
            tape.nodes.append(self)

    def give_up(self):
        """One tape needs it no more."""
        self.keepers -= 1
        if self.keepers == 0:
            self.clear()

    def clear(self):
        self.links = ()

    def back(self, d):
        """(source, its gradient, its shape) for each link, from this step's gradient: tensors while a tape records,
        else arrays (or tensors)."""
        y = self.tensor() if tapes.recording else self.value
        return [(source, gradient(d, y), shape) for source, gradient, shape in self.links]

    def tensor(self):
        """The value as the tensor that it was."""
        y = as_kind(self.value, Tensor)
        y.node = self
        return y


cdef class Formula(Node):
    """A step whose gradients are functions (d, y, *inputs), which so need not close over the inputs.

    inputs: as the operation was given them; values: the arrays and numbers they stand for; sources: what leads back
    from each, or None.
    """

    cdef tuple inputs, values
    cdef list sources

    def clear(self):
        self.inputs = self.values = ()
        self.sources = []

    def back(self, d):
        cdef tuple arguments
        cdef list found = []
        if tapes.recording:
            arguments = (d, self.tensor(), *self._tensors())
        else:
            arguments = (d, self.value, *self.values)
        for source, gradient, x in zip(self.sources, <tuple>self.links, self.values):
            if source is not None and gradient is not None:
                found.append((source, gradient(*arguments), x.shape))
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


cpdef object source_of(object x):
    """What leads back from an input: the node of a tensor, a variable that a tape watches, or None."""
    if is_a(x, Tensor):
        node = x.node
        return node if node is not None and (<Node?>node).keepers else None
    if is_a(x, Watchable):
        for tape in tapes.recording:
            if tape.watches(x):
                return x
    return None


cpdef object value(object x):
    """The plain array, or Python's number, that an operation computes with."""
    if isinstance(x, ndarray):
        return as_kind(x, ndarray) if is_a(x, Tensor) else x
    if isinstance(x, (float, int, np.generic)):
        return x
    if is_a(x, Watchable):
        return x.value
    array = np.asarray(x)
    return array.astype(np.float32) if array.dtype == np.float64 else array  # a list of Python's numbers


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
    if type(y) is not ndarray or (<ndarray>y).descr is not FLOAT32:
        y = typed(y, values)
    tensor = as_kind(y, Tensor)
    if tapes.recording:
        sources = [source_of(x) for x in inputs]
        for source in sources:
            if source is not None:
                node = Formula(y, gradients)
                node.inputs, node.values, node.sources = inputs, values, sources
                tensor.node = node
                break
    return tensor


def formula(function, doc, *gradients):
    """The operation y = function(x), with its gradient (d, y, x), None without a slope."""

    def call(x):
        if is_a(x, SymbolicTensor):
            return call_site_of(call, (x,), {})
        a = value(x)
        return computed(function(a), gradients, (x,), (a,))

    return named(call, function, doc)


def formula2(function, doc, *gradients):
    """The operation y = function(x1, x2), with the gradients (d, y, x1, x2) of both inputs, None without a slope."""

    def call(x1, x2):
        if is_a(x1, SymbolicTensor) or is_a(x2, SymbolicTensor):
            return call_site_of(call, (x1, x2), {})
        a, b = value(x1), value(x2)
        return computed(function(a, b), gradients, (x1, x2), (a, b))

    return named(call, function, doc)


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
        return function(*args, **kwargs)

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


def linked(y, *links):
    """`made` of an array that keeps its type."""
    return link(y, links)


cdef object link(object y, tuple links):
    tensor = as_kind(y, Tensor)
    cdef list known
    if tapes.recording:
        known = []
        for x, gradient in links:
            if gradient is not None:
                source = source_of(x)
                if source is not None:
                    known.append((source, gradient, np.shape(x)))
        if known:
            tensor.node = Node(y, known)
    return tensor


# --- the way back ----------------------------------------------------------------------------------------------------


def walk(list ends, set wanted):
    """{node or variable: its gradient} for those wanted, from `ends`: (node, its gradient) each.

    Nodes are taken from the last on: by then all that was computed from one has given its gradient. Gradients are plain
    arrays, unless a tape records them: tensors then.
    """
    cdef dict found = {}, sums = {}
    cdef list ahead = []  # the nodes in `sums`
    cdef type kind = Tensor if tapes.recording else ndarray
    for origin, d in ends:
        give(sums, ahead, origin, as_kind(d, kind))
    while ahead:
        node = heappop(ahead)[1]
        d = sums.pop(node)
        if node in wanted:
            found[node] = d
        for source, gradient, shape in node.back(d):
            if shape is not None:  # else parts of several outputs
                if type(gradient) is not kind:
                    gradient = np.asarray(gradient, d.dtype if isinstance(gradient, np.generic) else None)
                    gradient = as_kind(gradient, kind)
                if gradient.shape != shape:
                    gradient = summed_to(gradient, shape)
            give(sums, ahead, source, gradient)
    return found | {origin: d for origin, d in sums.items() if origin in wanted}


cdef give(dict sums, list ahead, origin, d):
    """Adds d to the gradient of a node or variable."""
    before = sums.get(origin)
    if before is not None:
        sums[origin] = before + d
        return
    sums[origin] = d
    if isinstance(origin, Node):
        heappush(ahead, (-(<Node>origin).number, origin))


cdef object summed_to(d, tuple shape):
    """The gradient of an input of this shape, given that of the input as repeated by broadcasting."""
    cdef Py_ssize_t front = d.ndim - len(shape), n = 1, i
    for i in range(front):
        n *= d.shape[i]
    repeated = tuple([i for i in range(len(shape)) if shape[i] == 1 and d.shape[front + i] != 1])
    if front:
        d = d.reshape(n, *d.shape[front:]).sum(axis=0)
    return d.sum(axis=repeated, keepdims=True) if repeated else d
