"""What is said of files that are left out: the first of them on the terminal, all of them in a file.

It leaves nothing out itself, and every other sentence passes as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from worker.whole_file import write_whole

SHOWN = 20
BEGINNING = "left out "  # of a sentence on one file


@dataclass(frozen=True, kw_only=True)
class LeftOutFiles:
    """Tells the user sentences in place of `say`."""

    say: Callable[[str], None]
    sentences: list[str] = field(default_factory=list)

    def __call__(self, sentence: str) -> None:
        """Say it, unless enough like it have been said."""
        if sentence.startswith(BEGINNING):
            self.sentences.append(sentence)
            if len(self.sentences) > SHOWN:
                return
        self.say(sentence)

    def say_all(self) -> None:
        """Say those that have not been said."""
        for sentence in self.sentences[SHOWN:]:
            self.say(sentence)

    def keep(self, path: Path) -> None:
        """Write a line for each file; say where they stand if they have not all been said."""
        if not self.sentences:
            path.unlink(missing_ok=True)  # of a run that was begun here before: it would be untrue
            return
        write_whole(path, "".join(f"{sentence}\n" for sentence in self.sentences).encode())
        if (more := len(self.sentences) - SHOWN) > 0:
            self.say(f"{more} more were left out; {path} names all {len(self.sentences)}")
