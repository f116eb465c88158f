"""What tests of training as a whole use."""

from support.training import one_thread, residuals, small_data, small_disk, small_songs

__all__ = ["one_thread", "residuals", "small_data", "small_disk", "small_songs"]
