"""`genrewiz submit` against a running service: what may be named, what is printed, every exit code."""

import csv
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.api_server import WAV, ApiServer
from support.audio import encode, music_like
from support.commands import CommandLine
from support.service import Service, serving
from support.waiting import eventually
from support.watching import watchers

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def short() -> bytes:
    """A song that is soon heard."""
    return encode(music_like(seconds=4), "wav16")


@pytest.fixture
def music(tmp_path: Path, short: bytes) -> Path:
    """A folder of songs, and of what is none."""
    for name in ("a.wav", "b.wav", "sub/c.wav", "sub/sub/d.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(short)
    (tmp_path / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    return tmp_path


def names(done) -> set[str]:
    return {line["file"] for line in done.lines}


def ids(api: ApiServer) -> set[str]:
    """Those of its jobs."""
    return {job["id"] for job in api.http.get("/jobs?limit=100").json()["jobs"]}


def test_people_see_a_genre_with_bars(genrewiz: CommandLine, music: Path):
    done = genrewiz("submit", music / "a.wav", "--wait")

    assert (done.code, done.err) == (0, "")
    first, *bars = done.out.splitlines()
    assert first.startswith(f"{music}/a.wav: ")
    assert len(bars) == 5
    assert "%" in bars[0]


def test_programs_get_a_line_of_json_for_each_file_as_the_server_gave_it(
    genrewiz: CommandLine, service: Service, music: Path
):
    done = genrewiz("submit", "a.wav", "b.wav", "--wait", "--json", cwd=music)

    assert (done.code, done.err) == (0, "")
    assert names(done) == {"a.wav", "b.wav"}
    for line in done.lines:
        file = line.pop("file")
        assert line == service.get(line["id"])
        assert (line["status"], line["source"]["filename"]) == ("succeeded", file)


def test_spreadsheets_get_a_header_and_a_row_for_each_file(genrewiz: CommandLine, music: Path):
    done = genrewiz("submit", "a.wav", "none, such.wav", "--wait", "--csv", cwd=music)

    rows = {row["file"]: row for row in csv.DictReader(done.out.splitlines())}
    assert done.code == 3
    assert set(rows) == {"a.wav", "none, such.wav"}
    assert rows["a.wav"]["genre"] == rows["a.wav"]["top"].split(":")[0]
    assert (rows["a.wav"]["status"], rows["a.wav"]["error"]) == ("succeeded", "")
    assert (rows["none, such.wav"]["status"], rows["none, such.wav"]["error"]) == ("", "unreadable_file")


def test_without_wait_the_id_is_printed_and_what_to_do_with_it(
    silent: CommandLine, silent_api: ApiServer, music: Path
):
    done = silent("submit", music / "a.wav")

    [job_id, file] = done.out.split()
    assert (done.code, file) == (0, f"{music}/a.wav")
    assert silent_api.http.get(f"/jobs/{job_id}").json()["status"] == "queued"
    assert f"genrewiz watch {job_id}" in done.err


def test_of_many_songs_each_has_its_id_first(silent: CommandLine, music: Path):
    done = silent("submit", "a.wav", "b.wav", cwd=music)

    jobs, files = zip(*(line.split() for line in done.out.splitlines()), strict=True)
    assert sorted(files) == ["a.wav", "b.wav"]
    assert silent("get", *jobs).code == 0


def test_a_song_that_was_heard_before_has_its_answer_at_once(tmp_path, short: bytes):
    (tmp_path / "a.wav").write_bytes(short)
    with serving(tmp_path / "data", GENREWIZ_RESULT_CACHE="true") as caching:
        genrewiz = CommandLine(caching.url)
        first = genrewiz("submit", tmp_path / "a.wav", "--wait")

        again = genrewiz("submit", "a.wav", cwd=tmp_path)

        job_id, _, rest = again.out.partition("  ")
        assert caching.get(job_id)["cached"]
        assert rest.rstrip() == "a.wav: " + first.out.splitlines()[0].rpartition(": ")[2]
        assert (again.code, again.err) == (0, "")


def test_a_song_is_read_from_standard_input(genrewiz: CommandLine, short: bytes):
    done = genrewiz("submit", "-", "--wait", "--json", stdin=short)

    [job] = done.lines
    assert (done.code, job["file"], job["status"]) == (0, "-", "succeeded")
    assert job["source"]["bytes"] == len(short)


def test_a_song_is_read_from_a_pipe_that_has_a_name(silent: CommandLine, tmp_path: Path):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    with silent.start("submit", pipe, "--json") as process:
        pipe.write_bytes(WAV)
        out, _ = process.communicate()

    assert process.returncode == 0
    assert f'"bytes": {len(WAV)}' in out


def test_patterns_are_expanded_though_they_are_quoted(silent: CommandLine, music: Path):
    done = silent("submit", "*.wav", "sub/**/d.*", "--json", cwd=music)

    assert (done.code, names(done)) == (0, {"a.wav", "b.wav", "sub/sub/d.wav"})


def test_of_a_folder_its_own_songs_are_sent_and_with_recursive_all(silent: CommandLine, music: Path):
    own = silent("submit", music, "--json")
    everything = silent("submit", "--recursive", music, "--json")

    assert (own.code, names(own)) == (0, {f"{music}/a.wav", f"{music}/b.wav"})
    assert everything.code == 0
    assert names(everything) == names(own) | {f"{music}/sub/c.wav", f"{music}/sub/sub/d.wav"}


def test_where_no_song_was_found_at_all_it_exits_with_4_and_says_so(silent: CommandLine, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "list").write_text("\n")

    of_folder = silent("submit", "empty", "--json", cwd=tmp_path)
    of_list = silent("submit", "--from-file", "list", cwd=tmp_path)

    assert (of_folder.code, of_folder.out) == (of_list.code, of_list.out) == (4, "")
    assert "No song was found in empty" in of_folder.err
    assert "nothing was sent" in of_list.err


def test_a_folder_without_songs_beside_a_song_is_no_failure(silent: CommandLine, music: Path):
    (music / "empty").mkdir()

    done = silent("submit", "a.wav", "empty", "--json", cwd=music)

    assert (done.code, names(done)) == (0, {"a.wav"})
    assert "No song was found in empty" in done.err


def test_a_list_of_songs_is_read_from_a_file_or_a_pipe(silent: CommandLine, music: Path):
    (music / "list").write_text("a.wav\n\nb.wav\n")

    from_file = silent("submit", "--from-file", "list", "--json", cwd=music)
    from_pipe = silent("submit", "sub/c.wav", "--from-file", "-", "--json", stdin=b"a.wav\nb.wav", cwd=music)

    assert names(from_file) == {"a.wav", "b.wav"}
    assert names(from_pipe) == {"a.wav", "b.wav", "sub/c.wav"}


def test_a_name_that_is_no_text_is_data_all_the_same(silent: CommandLine, tmp_path: Path):
    name = os.fsencode(tmp_path) + b"/\xff\n.wav"
    Path(os.fsdecode(name)).write_bytes(WAV)

    as_json = silent("submit", tmp_path, "--json")
    as_csv = silent("submit", tmp_path, "--csv")
    for_people = silent("submit", tmp_path)

    assert [line["file"] for line in as_json.lines] == [f"{tmp_path}/\N{REPLACEMENT CHARACTER}\n.wav"]
    assert name in os.fsencode(as_csv.out)
    assert for_people.code == 0
    assert len(for_people.out.splitlines()) == 1


def test_what_is_asked_for_reaches_the_server(genrewiz: CommandLine, service: Service, music: Path):
    done = genrewiz(
        "submit", music / "a.wav", "--wait", "--json", "--top", "2", "--windows", "first",
        "--min-confidence", "1", "--spectrogram", "--queue", "batch", "--deadline", "600",
        "--metadata", "station=fm4", "--metadata", "id=a=b",
    )  # fmt: skip

    [job] = done.lines
    assert done.code == 0
    assert (len(job["result"]["top"]), len(job["result"]["timeline"])) == (2, 1)
    assert (job["result"]["genre"], job["result"]["abstained_because"]) == (None, "low_confidence")
    assert job["metadata"] == {"station": "fm4", "id": "a=b"}
    assert job["queue"] == "batch"
    assert service.http.get(job["links"]["spectrogram"]).status_code == 200


def test_a_url_is_fetched_by_the_server_or_refused_by_it(silent: CommandLine):
    done = silent("submit", "https://93.184.216.34/a.mp3", "http://127.0.0.1/a.mp3", "--json")

    by_name = {line["file"]: line for line in done.lines}
    assert done.code == 3
    assert by_name["https://93.184.216.34/a.mp3"]["source"]["kind"] == "url"
    assert by_name["http://127.0.0.1/a.mp3"]["error"]["code"] == "url_blocked"


def test_where_some_songs_failed_it_exits_with_3_and_says_which(genrewiz: CommandLine, music: Path):
    silence = encode(0 * music_like(seconds=4), "wav16")
    (music / "silent.wav").write_bytes(silence)

    done = genrewiz("submit", "a.wav", "silent.wav", "cover.jpg", "--wait", cwd=music)

    assert done.code == 3
    assert "a.wav: " in done.out
    assert "silent.wav: " in done.err
    assert "(audio_silent)" in done.err
    assert "(unsupported_format)" in done.err
    assert "2 of 3 songs failed" in done.err
    assert "silent" not in done.out


def test_where_all_songs_failed_it_exits_with_4(genrewiz: CommandLine, music: Path):
    (music / "empty.wav").touch()

    done = genrewiz("submit", "cover.jpg", "none.wav", "no*thing", "empty.wav", "--json", cwd=music)

    assert done.code == 4
    assert [(line["id"], line["status"]) for line in done.lines] == [(None, None)] * 4
    assert {line["error"]["code"] for line in done.lines} == {
        "unsupported_format", "unreadable_file", "invalid_request",
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("submit",),
        ("submit", "a.wav", "--json", "--csv"),
        ("submit", "a.wav", "--metadata", "novalue"),
        ("submit", "a.wav", "--top", "11"),
        ("submit", "a.wav", "--concurrency", "0"),
        ("submit", "a.wav", "--deadline", "604801"),
        ("submit", "a.wav", "--windows", "some"),
        ("submit", "a.wav", "--server", "gopher://x"),
        ("submit", "a.wav", "--api-key", "gw_ä"),
        ("submit", "-", "--from-file", "-"),
        ("submit", "--from-file", "/none"),
        ("get",),
        ("watch", "a", "b"),
        ("list", "--status", "done"),
        ("list", "--limit", "0"),
        ("listen", "--secret", "no secret"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(arguments):
    done = CommandLine(NOWHERE)(*arguments)

    assert done.code == 2
    assert "Usage" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--server", "gopher://x"), ("--server", "http://127.0.0.1:8000")),
        (("--server", "http://h:x"), ("--server", "http://127.0.0.1:8000")),
        (("--server", "http://h?a"), ("--server", "http://127.0.0.1:8000")),
        (("--server", "http://me:word@h", "--api-key", "gw_1"), ("--api-key", "--server")),
        (("--api-key", "gw_ä"), ("--api-key", "genrewiz keys add")),
        (("--json", "--csv"), ("--json and --csv are two forms",)),
    ],
)
def test_a_wrong_option_is_named_in_words_of_the_command_line(options, said):
    done = CommandLine(NOWHERE, COLUMNS="300")("list", *options)

    assert done.code == 2
    assert [word for word in said if word not in done.err] == []
    for word in ("base_url", "api_key", "word@", "gw_"):
        assert word not in done.err


def test_a_server_that_cannot_be_reached_exits_with_5_and_a_way_out(music: Path):
    done = CommandLine(NOWHERE)("submit", music / "a.wav")

    first, last = done.err.splitlines()
    assert (done.code, done.out) == (5, "")
    assert first == f"{NOWHERE} cannot be reached: trying again …"
    assert NOWHERE in last
    assert "GENREWIZ_URL" in last


def test_that_a_server_cannot_be_reached_is_said_at_the_first_attempt(music: Path):
    with CommandLine(NOWHERE).start("submit", music) as process:
        said = process.stderr.readline()
        went_on = process.poll() is None
        process.kill()

    assert "trying again" in said
    assert went_on


def test_ctrl_c_exits_with_130_at_once_and_names_what_was_submitted(
    silent: CommandLine, silent_api: ApiServer, music: Path
):
    before = ids(silent_api)
    with silent.start("submit", music / "a.wav", music / "b.wav", "--wait") as process:
        eventually(lambda: watchers(silent_api) == 2)  # both songs' ends are waited for

        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    ours = ids(silent_api) - before
    assert (process.returncode, out) == (130, "")
    assert len(ours) == 2
    for job_id in ours:
        assert job_id in err
        assert silent_api.http.get(f"/jobs/{job_id}").json()["status"] == "queued"
    assert "Traceback" not in err


def test_whoever_reads_no_more_ends_it_quietly(silent: CommandLine, music: Path):
    reading, writing = os.pipe()
    os.close(reading)
    with silent.start("submit", "--recursive", music, "--json", stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate()

    assert (process.returncode, err) == (141, "")


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_a_full_disk_ends_it_with_a_sentence(silent: CommandLine, music: Path, form: str):
    with (
        Path("/dev/full").open("wb") as full,
        silent.start("submit", "--recursive", music, form, stdout=full) as process,
    ):
        _, err = process.communicate()

    assert (process.returncode, err) == (
        1, "genrewiz: The output cannot be written: No space left on device.\n",
    )  # fmt: skip


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-"])
def test_a_stream_that_was_closed_before_is_no_reason_to_fall_over(
    silent: CommandLine, music: Path, closed: str
):
    song = music / "a.wav"
    with silent.start("submit", song) as plain:
        plain.communicate()
    command = shlex.join([sys.executable, "-m", "genrewiz", "submit", str(song)])

    done = subprocess.run(
        f"{command} {closed}", shell=True, env=silent.environment, capture_output=True, text=True, check=False
    )

    assert "Traceback" not in done.stderr
    assert done.returncode == plain.returncode == 0


def test_audio_from_a_stdin_that_is_closed_is_a_usage_error(silent: CommandLine):
    command = shlex.join([sys.executable, "-m", "genrewiz", "submit", "-"])

    done = subprocess.run(
        f"{command} <&-", shell=True, env=silent.environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "from a pipe" in " ".join(done.stderr.split())


def test_a_pipe_into_head_works_as_with_every_other_tool(silent: CommandLine, music: Path):
    with silent.start("submit", "--recursive", music, "--csv") as process:
        head = subprocess.run(
            ["head", "-n1"], stdin=process.stdout, capture_output=True, text=True, check=True
        )
        process.stdout.close()
        err = process.stderr.read()

    assert head.stdout.startswith("file,id,status")
    assert err == ""


def test_progress_is_drawn_on_a_terminal_and_never_in_the_data(genrewiz: CommandLine, music: Path):
    terminal, ours = os.openpty()
    with genrewiz.start("submit", music, "--wait", "--json", stderr=ours) as process:
        os.close(ours)
        drawn = read_all(terminal)
        out = process.stdout.read()

    assert "songs" in drawn
    assert "\x1b[" in drawn
    assert len(out.splitlines()) == 2
    assert all(line.startswith('{"file": ') for line in out.splitlines())


def test_answers_for_people_stand_above_the_progress_and_those_for_programs_alone(
    genrewiz: CommandLine, music: Path
):
    seen = {}
    for form in ((), ("--json",)):
        terminal, ours = os.openpty()
        with genrewiz.start("submit", music, "--wait", *form, stdout=ours, stderr=ours):
            os.close(ours)
            seen[form] = read_all(terminal)

    assert "a.wav: " in seen[()]
    assert "songs" in seen[()]
    assert [line.startswith('{"file": ') for line in seen["--json",].splitlines()] == [True, True]


def read_all(terminal: int) -> str:
    """What is drawn on it until its last user has gone."""
    drawn = b""
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # as Linux says that nobody is there any more
            piece = b""
        if not piece:
            os.close(terminal)
            return drawn.decode()
        drawn += piece
