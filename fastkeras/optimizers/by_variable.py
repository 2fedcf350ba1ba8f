"""Steps variable by variable, as in Keras 3: what an optimizer of the user's own may be written with.

    class Signs(Optimizer):
        def __init__(self, learning_rate=0.001, **kwargs):
            super().__init__(learning_rate, **kwargs)

        def build(self, variables):
            super().build(variables)
            self.means = self.add_optimizer_variables(variables, "mean")

        def update_step(self, gradient, variable, learning_rate):
            mean = self.means[self._get_variable_index(variable)]
            self.assign_add(mean, 0.1 * (gradient - mean))
            self.assign_sub(variable, learning_rate * ops.sign(mean))

All of these functions are methods of Optimizer. What is added is kept in files, behind the optimizer's slots.
"""

import numpy as np

from fastkeras import initializers
from fastkeras.core.tensor import as_tensor
from fastkeras.core.variable import Variable
from fastkeras.optimizers.segment import Slot


def update_each(optimizer, segment, numbers):
    """`optimizer.update(segment, numbers)` by its `update_step`: the gradient is scaled and clipped, and the weights
    decay, before it is called for each variable."""
    rate, scale, clip, decay = numbers
    for variable in segment.variables:
        if decay:
            variable.value[...] *= 1.0 - rate * decay
        optimizer.update_step(as_tensor(np.clip(scale * variable.grad, -clip, clip)), variable, rate)
    segment.grad.fill(0.0)


def add_variable_from_reference(optimizer, reference_variable, name="var", initializer="zeros"):
    """A Variable of the shape of one of the variables, for `build`; the same as before if it was made before.

    initializer: a name, or an object of fastkeras.initializers.
    """
    nth = sum(slot.name == name and slot.variable is reference_variable for slot in optimizer._added)
    key = (name, nth, id(reference_variable))
    if key not in optimizer._added_ever:
        array = initializers.get(initializer)(reference_variable.shape)
        path = f"{reference_variable.path.replace('/', '_')}_{name}"
        # The reference is kept with it, so that no other variable takes its id.
        optimizer._added_ever[key] = reference_variable, Variable(array, path, trainable=False)
    added = optimizer._added_ever[key][1]
    optimizer._added.append(Slot(name, reference_variable, added.value))
    return added


def add_optimizer_variables(optimizer, trainable_variables, name, initializer="zeros"):
    """A list of such Variables, one for each of the variables; for a list of names a tuple of lists.

    initializer: one for all names, or a list with one for each.
    """
    names = [name] if isinstance(name, str) else list(name)
    starts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
    made = [
        [optimizer.add_variable_from_reference(v, *pair) for pair in zip(names, starts, strict=True)]
        for v in trainable_variables
    ]
    lists = tuple([row[i] for row in made] for i in range(len(names)))
    return lists[0] if isinstance(name, str) else lists


def get_variable_index(optimizer, variable):
    """The place of a variable among those that `build` was given last."""
    return optimizer._places[id(variable)]


def assign(optimizer, variable, value):
    """Sets a variable, one of those that change or of those added."""
    variable.assign(value)


def assign_add(optimizer, variable, value):
    """Adds to a variable."""
    variable.assign_add(value)


def assign_sub(optimizer, variable, value):
    """Subtracts from a variable."""
    variable.assign_sub(value)
