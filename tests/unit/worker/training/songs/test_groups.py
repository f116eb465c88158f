"""A CSV of groups fits its folder, or says in which line it does not."""

import unicodedata

import pytest

from shared.errors import DataUnavailable
from worker.training.songs.groups import read_groups

NAMES = ["blues/a.mp3", "rock/zwölf Töne.ogg"]
ROWS = "file,group\nblues/a.mp3,Anna\nrock/zwölf Töne.ogg,Bert\n"


@pytest.fixture
def read(tmp_path):
    def reader(text, *, present=(), encoding="utf-8"):
        path = tmp_path / "groups.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read_groups(path, NAMES, present)

    return reader


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        ROWS.replace("\n", "\r\n"),
        "\ufeff" + ROWS,
        ROWS.replace("blues/", "./blues/"),
        unicodedata.normalize("NFD", ROWS),
        "year,group,file\n1950,Anna,blues/a.mp3\n1990,Bert,rock/zwölf Töne.ogg\n",
        'file,group\n"blues/a.mp3"," Anna "\nrock/zwölf Töne.ogg,Bert\n\n',
        "\ufeff" + ROWS.replace(",", ";").replace("\n", "\r\n"),
        ROWS.replace(",", "\t"),
        ROWS.replace("\n", ";;\n").replace(",", ";") + ";;;\n; ;\n",
        "\n" + ROWS.replace("\n", ",,\n"),
        ROWS.replace("file,group", " File , GROUP"),
        ROWS.replace("/", "\\"),
        ROWS.replace("blues/", ".\\blues\\"),
        "file;group;title\nblues/a.mp3;Anna;One, two\nrock/zwölf Töne.ogg;Bert;,\n",
    ],
    ids=[
        *("plain", "windows", "byte order mark", "dot", "decomposed", "columns", "quotes", "semicolons"),
        *("tabs", "trailing semicolons", "trailing commas", "capitals", "backslashes", "dot backslash"),
        "commas within",
    ],
)
def test_each_file_has_its_group_however_the_table_is_written(read, text):
    assert read(text) == dict(zip(NAMES, ("Anna", "Bert"), strict=True))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "its first line is: file,group"),
        ("blues/a.mp3,Anna\nrock/zwölf Töne.ogg,Bert\n", "its first line is: file,group"),
        ("file|group\nblues/a.mp3|Anna\n", "no column file and none group"),
        ("file;artist\nblues/a.mp3;Anna\n", "no column group"),
        ("file,group,Group\nblues/a.mp3,Anna,Bert\n", "more than one column group"),
        ("file;group;file\nblues/a.mp3;Anna;\n", "more than one column file"),
        ("file,artist\nblues/a.mp3,Anna\n", "no column group"),
        (ROWS + "blues/b.mp3,Anna\n", r"line 4: there is no blues/b\.mp3"),
        (ROWS.replace(",Bert", ","), "line 3: .* has no group"),
        (ROWS.replace(",Bert", ""), "line 3: .* has no group"),
        (ROWS + "blues/a.mp3,Bert\n", "line 4: .* has two groups"),
        ("file,group\nblues/a.mp3,Anna\n", "no row for 1 of 2 files, such as rock/zwölf"),
        ("file,group\n", "no row for 2 of 2"),
        (b"file,group\nblues/a.mp3,\xff\n", "no CSV in UTF-8"),
        ('file,group\n"blues/a.mp3,Anna\n', "no CSV in UTF-8"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_the_reason(read, text, reason):
    with pytest.raises(DataUnavailable, match=reason):
        read(text)


def test_a_group_that_is_spelled_in_two_ways_is_one(read):
    groups = read("file,group\nblues/a.mp3,Zo\u00eb\nrock/zwölf Töne.ogg,Zoe\u0308\n")

    assert len(set(groups.values())) == 1


def test_a_backslash_that_is_part_of_a_name_stays(tmp_path):
    (tmp_path / "groups.csv").write_text("file,group\nrock/\\xfc.mp3,Anna\n")

    assert read_groups(tmp_path / "groups.csv", ["rock/\\xfc.mp3"], ()) == {"rock/\\xfc.mp3": "Anna"}


def test_a_row_may_name_a_file_that_is_there_and_not_used(read):
    assert len(read(ROWS + "blues/broken.mp3,Anna\n", present=["blues/broken.mp3"])) == 3


@pytest.mark.parametrize("path", ["missing.csv", "."])
def test_a_table_that_cannot_be_read_is_named(tmp_path, path):
    with pytest.raises(DataUnavailable, match="cannot be read"):
        read_groups(tmp_path / path, NAMES, ())
