"""TensorBoard for scripts that write for it without having it."""

from fastkeras import callbacks
from fastkeras.compat import notices

__all__ = ["TensorBoard"]


def TensorBoard(*args, **kwargs):
    """callbacks.TensorBoard; without the package tensorboard a callback that does nothing."""
    try:
        return callbacks.TensorBoard(*args, **kwargs)
    except ImportError:
        notices.say("TensorBoard writes nothing: the package tensorboard is not installed.")
        return callbacks.Callback()
