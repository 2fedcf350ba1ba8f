"""Gradients that are not there, for `made`: they say so when they are asked for."""

from fastkeras.core.tensor import Tensor


def no_gradient(who):
    """The gradient of what has none."""

    def refuse(d, y):
        raise NotImplementedError(f"ops.{who} has no gradient")

    return refuse


def once(who, gradient):
    """A gradient of d alone, which has no gradient itself."""

    def of(d, y):
        if isinstance(d, Tensor):
            raise NotImplementedError(f"ops.{who}: its gradient has no gradient")
        return gradient(d)

    return of
