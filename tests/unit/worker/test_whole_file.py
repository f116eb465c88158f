import re
import subprocess
import sys

import pytest

from shared.errors import UnwritableFile
from support.power_cut import need_strace
from worker.whole_file import whole_file, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"before")

    write_whole(tmp_path / "state.pt", b"after")

    assert (tmp_path / "state.pt").read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_a_file_that_is_written_in_pieces_is_as_it_was_until_the_last(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"before")

    with whole_file(tmp_path / "rows.csv") as file:
        for piece in (b"a", b"b"):
            file.write(piece)
            assert (tmp_path / "rows.csv").read_bytes() == b"before"

    assert (tmp_path / "rows.csv").read_bytes() == b"ab"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_what_stops_between_two_pieces_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"before")

    def stopped_by(stop: BaseException) -> None:
        with whole_file(tmp_path / "rows.csv") as file:
            file.write(b"a")
            raise stop

    with pytest.raises(KeyboardInterrupt):
        stopped_by(KeyboardInterrupt())
    with pytest.raises(UnwritableFile, match=r"rows\.csv cannot be written: gone\."):
        stopped_by(OSError("gone"))

    assert (tmp_path / "rows.csv").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_full_disk_is_said_with_the_files_name_and_leaves_it_as_it_was(small_disk):
    file = small_disk / "state.pt"
    write_whole(file, b"before")

    with pytest.raises(UnwritableFile, match=r"state\.pt cannot be written: No space left on device\."):
        write_whole(file, bytes(10 * 2**20))

    assert file.read_bytes() == b"before"
    assert [path.name for path in small_disk.iterdir()] == ["state.pt"]


@pytest.mark.parametrize("place", ["nowhere/state.pt", "file/state.pt"])
def test_a_place_that_takes_no_file_is_named(tmp_path, place):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(UnwritableFile, match=re.escape(place)):
        write_whole(tmp_path / place, b"state")


def test_the_bytes_are_on_disk_before_they_get_their_name_and_the_name_before_the_end(tmp_path):
    need_strace()
    script = (
        "import sys, pathlib, worker.whole_file as w; w.write_whole(pathlib.Path(sys.argv[1]), b'bytes'); "
    )
    calls = "trace=fsync,rename,renameat,renameat2"
    command = ["strace", "-f", "-y", "-e", calls, sys.executable, "-c", script, tmp_path / "state.pt"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    of_folder = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    synced, renamed, folder = of_folder
    assert "fsync" in synced
    assert "state.pt.partial>" in synced
    assert "rename" in renamed
    assert f"<{tmp_path}>" in folder
