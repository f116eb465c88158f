"""Keeps a playlist for each genre, for Liquidsoap to play. Standard library alone; `receiver.py` beside it.

    GENREWIZ_WEBHOOK_SECRET=whsec_… python3 playlists.py --music /srv/music --playlists /srv/playlists

The jobs say in their metadata which file is meant, under --music: {"path": "rock/song.mp3"}.
"""

from pathlib import Path

from receiver import Event, options, serve

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")


class Playlists:
    """A file for each genre, a song's path on each line. A song is in one of them at most."""

    def __init__(self, folder: Path, music: Path) -> None:
        self.music = music.resolve()
        self.files = {genre: folder.resolve() / f"{genre}.m3u" for genre in GENRES}
        folder.mkdir(parents=True, exist_ok=True)
        for file in self.files.values():
            file.touch()  # Liquidsoap watches what is there when it starts

    def put(self, song: Path, genre: str) -> None:
        """Into this genre's playlist, and out of the others."""
        line = f"{song}\n".encode()
        for name, file in self.files.items():
            lines = file.read_bytes().splitlines(keepends=True)
            # The file is changed and never replaced: Liquidsoap watches the file, not its name.
            if name == genre and line not in lines:
                with file.open("ab") as end:
                    end.write(line)
            elif name != genre and line in lines:
                with file.open("r+b") as whole:
                    whole.write(b"".join(each for each in lines if each != line))
                    whole.truncate()

    def song(self, path: str) -> Path | None:
        """The file of this name under the music folder. No other: a line such as process:… is a command."""
        try:
            song = (self.music / path).resolve()
            is_ours = song.is_relative_to(self.music) and song.is_file() and str(song).isprintable()
        except (OSError, ValueError):
            return None  # no file can be called so
        return song if is_ours else None


def act_on(playlists: Playlists, event: Event) -> str:
    """What became of an event, for the log."""
    job = event.get("data") or {}
    genre = (job.get("result") or {}).get("genre")
    if event.get("type") != "job.succeeded" or genre not in GENRES:
        return "no genre, nothing written"  # a test, a failure, or GenreWiz was not sure enough
    path = (job.get("metadata") or {}).get("path")
    song = playlists.song(path) if isinstance(path, str) else None
    if song is None:
        return "its metadata name no file under --music, nothing written"
    playlists.put(song, genre)
    return f"{song}: {genre}"


def main() -> None:
    """Receive until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--playlists", type=Path, required=True)
    chosen = parser.parse_args()
    playlists = Playlists(chosen.playlists, chosen.music)

    def act(event: Event) -> None:
        print((event.get("data") or {}).get("id", "-"), act_on(playlists, event), flush=True)

    serve(chosen, act)


if __name__ == "__main__":
    main()
