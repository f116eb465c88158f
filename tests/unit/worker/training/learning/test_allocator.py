import subprocess
import sys

import pytest

# How often the system handed out a page while 64 MiB were taken and given back ten times.
SCRIPT = """
import resource, sys
from worker.training.learning.allocator import keep_memory

if "keep" in sys.argv and not keep_memory():
    sys.exit("no mallopt")
for turn in range(11):
    bytearray(b"1") * (64 * 2**20)
    if turn == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False
    )
    if "no mallopt" in done.stderr:
        pytest.skip("this C library has no mallopt: kept memory was not covered")
    return int(done.stdout)


def test_memory_that_is_kept_is_not_handed_out_again_by_the_system():
    kept, usual = page_faults("keep"), page_faults()

    assert kept < usual / 10
