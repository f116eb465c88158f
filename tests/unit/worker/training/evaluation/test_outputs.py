import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import UnwritableFile
from worker.training.evaluation.outputs import check_writable, json_text, write_all


def test_every_file_is_written_and_nothing_else_is_left(tmp_path):
    write_all({tmp_path / "a.json": b"a", tmp_path / "new" / "b.md": b"b"})

    assert {path.name for path in tmp_path.rglob("*")} == {"a.json", "new", "b.md"}
    assert (tmp_path / "new" / "b.md").read_bytes() == b"b"


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"no folder")

    with pytest.raises(UnwritableFile, match=r"file/b\.md cannot be written"):
        write_all({tmp_path / "file" / "b.md": b"b"})

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_up_leaves_the_old_file_whole(tmp_path):
    """The kernel refuses more than 1,000 bytes a file, as a full disk would."""
    (tmp_path / "old.json").write_bytes(b"old")
    script = f"""
import resource, sys
from pathlib import Path
from shared.errors import UnwritableFile
from worker.training.evaluation.outputs import write_all
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_all({{Path({str(tmp_path / "old.json")!r}): b"new" * 1000}})
except UnwritableFile as error:
    sys.exit(str(error))
"""

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{tmp_path / 'old.json'} cannot be written: ")
    assert len(ended.stderr.splitlines()) == 1
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_device_is_written_to_and_not_replaced():
    script = "from pathlib import Path; from worker.training.evaluation.outputs import write_all; "
    script += "write_all({Path('/dev/stdout'): b'figures'})"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert ended.stdout == b"figures"


def test_a_link_goes_on_pointing_at_its_file(tmp_path):
    (tmp_path / "there.json").write_bytes(b"old")
    (tmp_path / "link.json").symlink_to("there.json")

    write_all({tmp_path / "link.json": b"new"})

    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "there.json").read_bytes() == b"new"


def test_json_reads_back_rounded_and_keeps_short_things_on_one_line():
    value = {
        "row": [1, 2, 3],
        "third": 1 / 3,
        "songs": [{"name": "x" * 50, "p": [0.1] * 10}] * 3,
        "none": None,
    }

    text = json_text(value)

    assert json.loads(text) == value | {"third": 0.333333}
    assert '  "row": [1, 2, 3],\n' in text
    assert text.count("\n") == 10


def test_what_can_be_written_leaves_nothing_when_it_is_asked(tmp_path):
    (tmp_path / "old.json").write_bytes(b"old")
    (tmp_path / "link.json").symlink_to(tmp_path / "there" / "f.json")
    (tmp_path / "round").symlink_to("round")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))

    check_writable(
        [tmp_path / name for name in ("old.json", "link.json", "new/folder/f.json", "pipe")]
        + [Path("/dev/stdout"), Path("/dev/full")]
    )

    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "old.json").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("file/f.json", "file is no folder"),
        ("file/new/f.json", "file is no folder"),
        ("folder", "it is a folder"),
        ("round/f.json", "levels of symbolic links"),
        ("x" * 256, "File name too long"),
    ],
)
def test_what_could_not_be_written_is_refused_before(tmp_path, name, why):
    (tmp_path / "file").write_bytes(b"no folder")
    (tmp_path / "folder").mkdir()
    (tmp_path / "round").symlink_to("round")

    with pytest.raises(UnwritableFile, match=f"{name} cannot be written: .*{why}"):
        check_writable([tmp_path / "good.json", tmp_path / name])

    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder", "round"}


def test_a_disk_that_takes_no_files_is_refused_before():
    """Nobody makes a folder or a file in /proc, an administrator neither, whom permission bits let in."""
    for path in (Path("/proc/f.json"), Path("/proc/new/f.json")):
        with pytest.raises(UnwritableFile, match=f"{path} cannot be written"):
            check_writable([path])
