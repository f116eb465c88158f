from worker.training.learning.left_out import SHOWN, LeftOutFiles


def test_of_many_files_the_first_are_said_and_a_file_names_all(tmp_path):
    said: list[str] = []
    say = LeftOutFiles(say=said.append)
    path = tmp_path / "left_out.txt"
    sentences = [f"left out blues/Ö{number}.mp3: it is silent" for number in range(10_000)]

    for sentence in sentences:
        say(sentence)
    say("3 songs are used, 10000 files were left out")
    say.keep(path)

    assert said == [
        *sentences[:SHOWN],
        "3 songs are used, 10000 files were left out",
        f"{10_000 - SHOWN} more were left out; {path} names all 10000",
    ]
    assert path.read_text(encoding="utf-8").splitlines() == sentences


def test_few_files_are_all_said_and_kept_and_no_more_is_said_of_them(tmp_path):
    said: list[str] = []
    say = LeftOutFiles(say=said.append)
    sentences = [f"left out {number}.mp3: it is silent" for number in range(SHOWN)]

    for sentence in sentences:
        say(sentence)
    say.keep(tmp_path / "left_out.txt")

    assert said == sentences
    assert (tmp_path / "left_out.txt").read_text().splitlines() == sentences


def test_where_nothing_is_left_out_no_file_says_so(tmp_path):
    (tmp_path / "left_out.txt").write_text("left out 1.mp3: it is silent\n")

    LeftOutFiles(say=print).keep(tmp_path / "left_out.txt")

    assert list(tmp_path.iterdir()) == []


def test_where_no_file_will_name_them_all_are_said():
    said: list[str] = []
    say = LeftOutFiles(say=said.append)
    sentences = [f"left out {number}.mp3: it is silent" for number in range(SHOWN + 5)]

    for sentence in sentences:
        say(sentence)
    say.say_all()

    assert said == sentences
