"""What tests of the worker and of training share."""

from support.training import one_thread, residuals, small_data, small_disk, small_songs

__all__ = ["one_thread", "residuals", "small_data", "small_disk", "small_songs"]
