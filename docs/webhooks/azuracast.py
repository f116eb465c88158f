"""Writes the genre of a song into AzuraCast. Python's standard library alone, `receiver.py` beside it.

    GENREWIZ_WEBHOOK_SECRET=whsec_… AZURACAST_API_KEY=… \\
        python3 azuracast.py --url https://radio.example --playlist-of rock=5

The jobs say in their metadata which file is meant: {"station_id": 1, "media_id": 123}. A file that has
another genre already is left alone, unless --overwrite.
"""

import argparse
import http.client
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from receiver import Event, Refused, options, serve

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
AZURACAST_SECONDS = 4  # for each of two requests: GenreWiz gives us 15 s in all


class UnknownFile(Exception):
    """AzuraCast has no such station or file."""


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The key goes nowhere but to AzuraCast."""

    def redirect_request(self, *_: object) -> None:
        """None: a redirect is an error."""


class AzuraCast:
    """What we need of its API."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url.rstrip("/"), key
        self.opener = urllib.request.build_opener(NoRedirects)

    def file(self, station: str, media: str) -> dict[str, Any]:
        """What AzuraCast knows of a file."""
        found = self.ask("GET", station, media)
        if "genre" not in found or not isinstance(found.get("playlists"), list):
            raise Refused(502, "AzuraCast's answer is no file")
        return found

    def change(self, station: str, media: str, changes: dict[str, Any]) -> None:
        """Change what is named; the rest stays."""
        if self.ask("PUT", station, media, changes).get("success") is not True:
            raise Refused(502, "AzuraCast did not do it")

    def ask(self, method: str, station: str, media: str, body: object = None) -> dict[str, Any]:
        """Its answer; UnknownFile, or Refused for what may be better when GenreWiz comes again."""
        request = urllib.request.Request(
            f"{self.url}/api/station/{station}/file/{media}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-API-Key": self.key, "Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with self.opener.open(request, timeout=AZURACAST_SECONDS) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.NOT_FOUND and says_not_found(error):
                raise UnknownFile from None
            raise Refused(502, f"AzuraCast answered {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Refused(502, f"AzuraCast cannot be reached: {type(error).__name__}") from None
        if not isinstance(answer, dict):
            raise Refused(502, "AzuraCast's answer is none")
        return answer


def says_not_found(error: urllib.error.HTTPError) -> bool:
    """Whether it is AzuraCast that says 404. Another server's, at a wrong --url, must not lose events."""
    try:
        said = json.load(error)
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return isinstance(said, dict) and said.get("success") is False


def changes_for(
    file: Mapping[str, Any], genre: str, playlists_of: Mapping[str, list[int]], *, overwrite: bool
) -> dict[str, Any]:
    """What to PUT so that the file has this genre and is in its playlists; nothing where it is so."""
    written = (file["genre"] or "").strip()
    if written and written.casefold() != genre.casefold() and not overwrite:
        return {}  # somebody knows better
    changes: dict[str, Any] = {}
    if written.casefold() != genre.casefold():
        changes["genre"] = genre
    # A PUT with playlists takes the file out of all that it does not name. So we name those that it is in,
    # too, and where none is missing, none.
    present = list({each["id"]: None for each in file["playlists"]})
    missing = [each for each in playlists_of.get(genre, []) if each not in present]
    if missing:
        changes["playlists"] = present + missing
    return changes


def act_on(azuracast: AzuraCast, event: Event, playlists_of: Mapping[str, list[int]], overwrite: bool) -> str:
    """What became of an event, for the log."""
    job = event.get("data") or {}
    genre = (job.get("result") or {}).get("genre")
    if event.get("type") != "job.succeeded" or not genre:
        return "no genre, nothing written"  # a test, a failure, or GenreWiz was not sure enough
    metadata = job.get("metadata") or {}
    station, media = str(metadata.get("station_id", "")), str(metadata.get("media_id", ""))
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,100}", each) for each in (station, media)):
        return "its metadata name no station_id and media_id, nothing written"
    try:
        changes = changes_for(azuracast.file(station, media), genre, playlists_of, overwrite=overwrite)
        if changes:
            azuracast.change(station, media, changes)
    except UnknownFile:
        return f"AzuraCast has no file {media} in station {station}, nothing written"  # nor will it next time
    return f"file {media} of station {station}: {changes or 'nothing written'}"


def playlist_of(text: str) -> tuple[str, int]:
    """GENRE=ID."""
    genre, _, playlist = text.partition("=")
    genre = genre.strip().casefold()
    if genre not in GENRES:
        raise argparse.ArgumentTypeError(f"the genres are {', '.join(GENRES)}")
    if not playlist.strip().isdecimal():
        raise argparse.ArgumentTypeError("a playlist is named by its number, as rock=5")
    return genre, int(playlist)


def main() -> None:
    """Receive until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--url", required=True, help="AzuraCast's address, without /api")
    parser.add_argument("--overwrite", action="store_true", help="also genres that are there already")
    parser.add_argument(
        "--playlist-of", type=playlist_of, action="append", default=[], metavar="GENRE=ID",
        help="put songs of a genre into a playlist, too; may be given several times",
    )  # fmt: skip
    chosen = parser.parse_args()
    azuracast = AzuraCast(
        chosen.url, os.environ.get("AZURACAST_API_KEY") or sys.exit("Set AZURACAST_API_KEY")
    )
    playlists_of: dict[str, list[int]] = {}
    for genre, playlist in chosen.playlist_of:
        playlists_of.setdefault(genre, []).append(playlist)

    def act(event: Event) -> None:
        job = (event.get("data") or {}).get("id", "-")
        print(job, act_on(azuracast, event, playlists_of, chosen.overwrite), flush=True)

    serve(chosen, act)


if __name__ == "__main__":
    main()
