"""Which songs of a folder a checkpoint has learned from already, so that they are not scored.

Known again by what its provenance tells: published names, or hashes of what was heard.
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from shared.errors import DataUnavailable
from worker.checkpoint import Checkpoint
from worker.training.songs.audio_songs import AudioSongs
from worker.training.songs.lists import published_split


def without_known(
    songs: AudioSongs, checkpoint: Checkpoint, data: Path, say: Callable[[str], None]
) -> AudioSongs:
    """The songs that neither trained nor validated this checkpoint; says which it leaves out.

    data: the data folder, whose lists tell what a checkpoint was trained on that does not itself.
    """
    known = _known(checkpoint, data)
    if known is None:
        say("The checkpoint does not tell which songs it learned from: figures on them would flatter.")
        return songs
    fresh = []
    for name, identity in zip(songs.names, songs.identities(), strict=True):
        if identity in known or PurePosixPath(name).stem in known:
            say(f"left out {name}: the checkpoint was trained or validated on it")
        else:
            fresh.append(name)
    if not fresh:
        raise DataUnavailable("The checkpoint was trained or validated on every song of the folder.")
    if len(fresh) < len(songs):
        say(f"{len(fresh)} songs are scored; {len(songs) - len(fresh)} were known to the checkpoint")
    return songs.chosen(tuple(fresh))


def _known(checkpoint: Checkpoint, data: Path) -> frozenset[str] | None:
    if "songs" in checkpoint.provenance:
        return frozenset(checkpoint.provenance["songs"])
    lists = checkpoint.provenance.get("lists", "filtered")
    if not checkpoint.provenance or lists == "audio":
        return None
    try:
        split = published_split(data / "gtzan", lists)
    except DataUnavailable:
        return None
    return frozenset(split.train + split.valid)
