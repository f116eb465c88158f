"""The receiver that writes genres into AzuraCast, against a stand-in made from AzuraCast's published API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.azuracast import KEY, AzuraCast, azuracast_serving, error
from support.receivers import FOREIGN_SECRET, Running, event, failure, running

OURS = {"station_id": 1, "media_id": 123}


@pytest.fixture
def azuracast() -> Iterator[AzuraCast]:
    with azuracast_serving() as up:
        yield up


@contextmanager
def receiving(folder: Path, azuracast: AzuraCast, *options: str, **environment: str) -> Iterator[Running]:
    environment = {"AZURACAST_API_KEY": KEY} | environment
    with running(folder / "webhooks", "azuracast.py", "--url", azuracast.url, *options, **environment) as up:
        yield up


def test_an_empty_genre_is_filled_and_nothing_else_touched(tmp_path: Path, azuracast: AzuraCast):
    with receiving(tmp_path, azuracast) as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.genre == "rock"
    assert azuracast.puts == [{"genre": "rock"}]
    assert azuracast.playlists == [1, 4]


@pytest.mark.parametrize(
    "where",
    [{"station_id": "radio", "media_id": "123"}, {"station_id": "1", "media_id": "69b536afc7ebbf16457b8645"}],
)
def test_stations_and_files_go_by_their_names_too(
    tmp_path: Path, azuracast: AzuraCast, where: dict[str, str]
):
    with receiving(tmp_path, azuracast) as receiver:
        assert receiver.deliver(event("rock", **where)) == 204

    assert azuracast.genre == "rock"


def test_a_genre_that_somebody_wrote_stays_and_so_do_the_playlists(tmp_path: Path, azuracast: AzuraCast):
    azuracast.genre = "Krautrock"
    with receiving(tmp_path, azuracast, "--playlist-of", "rock=5") as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.puts == []


def test_with_overwrite_a_genre_is_replaced(tmp_path: Path, azuracast: AzuraCast):
    azuracast.genre = "Krautrock"
    with receiving(tmp_path, azuracast, "--overwrite") as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.genre == "rock"


def test_a_playlist_is_joined_and_none_left(tmp_path: Path, azuracast: AzuraCast):
    mapping = ("--playlist-of", "rock=5", "--playlist-of", "rock=6", "--playlist-of", "jazz=1")
    with receiving(tmp_path, azuracast, *mapping) as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.genre == "rock"
    assert azuracast.playlists == [1, 4, 5, 6]


def test_a_genre_may_be_written_as_people_write_it(tmp_path: Path, azuracast: AzuraCast):
    with receiving(tmp_path, azuracast, "--playlist-of", "Rock=5") as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.playlists == [1, 4, 5]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [("hip-hop=5", "hiphop"), ("=5", "the genres are"), ("rock", "rock=5"), ("rock=mine", "rock=5")],
)
def test_a_playlist_of_no_genre_is_refused_at_once(
    tmp_path: Path, azuracast: AzuraCast, mapping: str, said: str
):
    with (
        pytest.raises(AssertionError, match=said),
        receiving(tmp_path, azuracast, "--playlist-of", mapping),
    ):
        pass


def test_a_put_that_broke_off_half_way_is_made_whole(tmp_path: Path, azuracast: AzuraCast):
    azuracast.after_put = [error(500, "the queue is away")]  # the genre is written, the playlists are not
    with receiving(tmp_path, azuracast, "--playlist-of", "rock=5") as receiver:
        answers = [receiver.deliver(event("rock", **OURS)) for _ in range(3)]

    assert answers == [502, 204, 204]
    assert azuracast.playlists == [1, 4, 5]
    assert len(azuracast.puts) == 2


def test_what_is_so_already_is_not_written_again(tmp_path: Path, azuracast: AzuraCast):
    azuracast.genre, azuracast.playlists = "Rock", [1, 5]
    with receiving(tmp_path, azuracast, "--playlist-of", "rock=5") as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.puts == []


def test_without_a_genre_nothing_is_written(tmp_path: Path, azuracast: AzuraCast):
    test = {"type": "webhook.test", "timestamp": "…", "sequence": 1, "data": {"endpoint": "whe_1"}}
    with receiving(tmp_path, azuracast, "--overwrite") as receiver:
        for number, each in enumerate((event(None, **OURS), failure(), test)):
            assert receiver.deliver(each, webhook_id=f"msg_{number}") == 204

    assert azuracast.puts == []


@pytest.mark.parametrize(
    "answer",
    [
        error(500, "General Error"),
        error(403, "Access denied"),
        (429, "slow down"),
        (404, "<html>another server, at a wrong --url"),
        (302, "https://elsewhere.example/"),
        (200, "no json"),
        (200, [1]),
        (200, {"something": "else"}),
    ],
)
def test_whatever_azuracast_cannot_do_now_is_asked_for_again(tmp_path: Path, azuracast: AzuraCast, answer):
    azuracast.answers = [answer]
    with receiving(tmp_path, azuracast) as receiver:
        answers = [receiver.deliver(event("rock", **OURS)), receiver.deliver(event("rock", **OURS))]

    assert answers == [502, 204]
    assert azuracast.genre == "rock"
    assert KEY not in receiver.text()


@pytest.mark.parametrize("said", [{"success": False}, {}, []])
def test_a_put_that_says_no_is_asked_for_again(tmp_path: Path, azuracast: AzuraCast, said: object):
    azuracast.after_put = [(200, said)]
    with receiving(tmp_path, azuracast, "--playlist-of", "rock=5") as receiver:
        answers = [receiver.deliver(event("rock", **OURS)) for _ in range(2)]

    assert answers == [502, 204]
    assert azuracast.playlists == [1, 4, 5]


def test_the_key_goes_nowhere_but_to_azuracast(tmp_path: Path, azuracast: AzuraCast):
    with azuracast_serving() as elsewhere:
        azuracast.answers = [(302, f"{elsewhere.url}/api/station/1/file/123")]
        elsewhere.answers = [(200, elsewhere.file())]
        with receiving(tmp_path, azuracast) as receiver:
            assert receiver.deliver(event("rock", **OURS)) == 502

        assert len(elsewhere.answers) == 1  # nobody has asked


def test_a_file_that_is_gone_is_not_asked_for_again(tmp_path: Path, azuracast: AzuraCast):
    with receiving(tmp_path, azuracast) as receiver:
        assert receiver.deliver(event("rock", station_id=1, media_id=999), webhook_id="msg_1") == 204
        assert receiver.deliver(event("rock", station_id=2, media_id=123), webhook_id="msg_2") == 204

    assert "no file 999 in station 1" in receiver.text()
    assert azuracast.puts == []


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"station_id": 1},
        {"station_id": "1/../../admin", "media_id": "123"},
        {"station_id": 1, "media_id": "123?x"},
        {"station_id": [], "media_id": {}},
    ],
)
def test_metadata_that_name_no_file_ask_azuracast_for_nothing(tmp_path: Path, azuracast: AzuraCast, metadata):
    azuracast.answers = [error(500, "nobody was to ask")]
    with receiving(tmp_path, azuracast) as receiver:
        assert receiver.deliver(event("rock", **metadata)) == 204

    assert len(azuracast.answers) == 1
    assert "name no station_id and media_id" in receiver.text()


def test_a_wrong_key_is_asked_for_again_until_it_is_right(tmp_path: Path, azuracast: AzuraCast):
    with receiving(tmp_path, azuracast, AZURACAST_API_KEY="wrong") as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 502
    with receiving(tmp_path, azuracast) as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.genre == "rock"


def test_what_is_not_signed_reaches_no_azuracast(tmp_path: Path, azuracast: AzuraCast):
    with receiving(tmp_path, azuracast) as receiver:
        assert receiver.deliver(event("rock", **OURS), secrets=(FOREIGN_SECRET,)) == 401

    assert azuracast.puts == []


def test_an_event_that_comes_again_is_written_once(tmp_path: Path, azuracast: AzuraCast):
    with receiving(tmp_path, azuracast, "--overwrite") as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 204
        azuracast.genre = "somebody wrote this later"
        assert receiver.deliver(event("rock", **OURS)) == 204

    assert azuracast.genre == "somebody wrote this later"


def test_an_azuracast_that_is_away_is_asked_again(tmp_path: Path):
    with azuracast_serving() as azuracast:
        pass
    with receiving(tmp_path, azuracast) as receiver:
        assert receiver.deliver(event("rock", **OURS)) == 502
