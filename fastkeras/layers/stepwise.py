"""Stepwise: what RNN and the recurrent layers share: flags, shapes, masks, and the states that they carry."""

import numpy as np

from fastkeras.core.nest import flat
from fastkeras.layers.layer import Layer
from fastkeras.utils.arguments import positive_integer
from fastkeras.utils.messages import message


class Stepwise(Layer):
    """A layer that reads a sequence, one step after the other, and keeps states from step to step.

    x: (B, T, ...). Returns y_T (B, output_size); with return_sequences all y_t (B, T, output_size), in the order in
    which they were computed; with return_state also the last states, (B, size) each.

    A masked step leaves the states as they are and repeats the output (zero before the first), or gives zero if
    zero_output_for_mask. go_backwards reads the last step first. initial_state in a call gives the states to start
    from; a stateful layer starts from where the batch before ended. unroll is accepted; there is one implementation.

    A subclass has `output_size`, and `state_sizes`, a list with the size of each state.
    """

    supports_masking = True
    takes_several = True

    def __init__(
        self,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        input_length=None,
        **kwargs,
    ):
        if "input_dim" in kwargs:
            kwargs["input_shape"] = (input_length, kwargs.pop("input_dim"))
        super().__init__(**kwargs)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.unroll = bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.states = None  # what a stateful layer carries from batch to batch: a list of arrays (B, size)

    # --- shapes ----------------------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape):
        shape, *states = input_shape if isinstance(input_shape, list) else [input_shape]
        if not self._takes(shape):
            names = {"layer": self.name, "kind": type(self).__name__, "expected": "(batch, steps, features)"}
            raise ValueError(message("shape_for_layer", **names, received=tuple(shape)))
        if len(states) not in (0, len(self.state_sizes)):
            raise ValueError(f"{self._who()}: expected {len(self.state_sizes)} initial states. Received: {len(states)}")

    def _takes(self, shape):
        """Whether x may have this shape, batch axis included."""
        return len(shape) > 2

    def compute_output_shape(self, input_shape):
        B, T = shape_of_x(input_shape)[:2]
        y = (B, T, self.output_size) if self.return_sequences else (B, self.output_size)
        return [y, *((B, size) for size in self.state_sizes)] if self.return_state else y

    def compute_mask(self, x, mask=None):
        mask = mask[0] if isinstance(mask, list) else mask
        y = mask if self.return_sequences else None
        return [y, *(None for _ in self.state_sizes)] if self.return_state else y

    # --- states ----------------------------------------------------------------------------------------------------

    def check_steps_and_states(self, x, states):
        """Raises a ValueError if there is no step, or a state is not (B, size). states: a list of arrays, or None."""
        if x.shape[1] == 0:
            raise ValueError(f"{self._who()}: expected at least one step. Received: shape {x.shape}")
        if states is None:
            return
        wanted, found = [(x.shape[0], size) for size in self.state_sizes], [state.shape for state in states]
        if found != wanted:
            hint = ", or reset_states() before batches of another size" if self.stateful else ""
            raise ValueError(f"{self._who()}: expected initial states of shapes {wanted}{hint}. Received: {found}")

    def _who(self):
        return f"Layer '{self.name}' ({type(self).__name__})"

    def reset_states(self, states=None):
        """Forgets the states that a stateful layer carries, or sets them: an array (B, size), or a list of them."""
        if states is None:
            self.states = None
            return
        given = [np.array(state, np.float32) for state in flat(states)]
        found, sizes = [state.shape for state in given], self.state_sizes
        if [shape[1:] for shape in found] != [(size,) for size in sizes]:
            wanted = ", ".join(f"(batch, {size})" for size in sizes)
            raise ValueError(
                f"{self._who()}: reset_states() wants {len(sizes)} arrays of shapes {wanted}. Received: shapes {found}"
            )
        self.states = given

    reset_state = reset_states

    # --- configuration ---------------------------------------------------------------------------------------------

    def get_config(self):
        return {
            **super().get_config(),
            **({"zero_output_for_mask": True} if self.zero_output_for_mask else {}),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
        }


def rows_of(owner, batch_size, inputs):
    """The number of rows that `get_initial_state` is asked for: batch_size, or that of an array or tensor, which is
    given as either."""
    given = inputs if batch_size is None else batch_size
    shape = getattr(given, "shape", ())
    rows = shape[0] if shape else int(given) if np.shape(given) == () and isinstance(given, np.ndarray) else given
    return positive_integer(owner, "batch_size", rows)


def shape_of_x(input_shape):
    """The shape of the sequence, of which and of the initial states input_shape may be a list."""
    return input_shape[0] if isinstance(input_shape, list) else input_shape
