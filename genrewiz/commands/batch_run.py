"""Many songs through one submission: shows each answer, counts, and says what is left when it must stop.

It knows nothing of files and of state.
"""

import threading
from collections.abc import Sequence

import typer
from rich.progress import Progress

from genrewiz.client import ClientError, Job
from genrewiz.commands.answers import Answer
from genrewiz.commands.exits import INTERRUPTED, exit_code
from genrewiz.commands.inputs import Input, shown
from genrewiz.commands.output import Output
from genrewiz.commands.server import end_of
from genrewiz.commands.submission import Submission
from genrewiz.commands.talk import SongsProgress, say
from genrewiz.commands.threads import in_threads


class BatchRun:
    """One run over some songs."""

    def __init__(self, form: Output, *, songs: int, resumable: bool) -> None:
        self._form = form
        self._songs = songs
        self._resumable = resumable
        self._good = self._failed = 0
        self._ids: dict[str, str] = {}  # of jobs that were promised and not shown yet
        self._going_on: str | None = None  # the id of the last job that had not finished when it was shown
        self._lock = threading.Lock()

    def promised(self, name: str, job: Job) -> None:
        """A job that the server has promised: if nobody is shown its answer, he is told its id."""
        with self._lock:
            self._ids[name] = job.id

    def over(
        self, submission: Submission, songs: Sequence[Input], *, threads: int, progress: Progress
    ) -> None:
        """Show the answer of each, as they come. Ends the command where going on makes no sense."""
        bars = SongsProgress(progress, len(songs))

        def answered(song: Input) -> Answer:
            with bars.song(song.name) as report:
                return submission.answer(song, report)

        try:
            for answer in in_threads(answered, songs, threads=min(threads, max(1, len(songs)))):
                self._show(answer)
                bars.ended()
        except KeyboardInterrupt:
            progress.stop()
            self._say_what_is_left("Interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except ClientError as error:
            progress.stop()
            self._say_what_is_left("Stopped")
            end_of(error, exit_code(good=self._good, failed=1))

    def sum_up(self) -> None:
        """Say how it went where there was much of it; the exit code."""
        if self._failed and self._songs > 1:
            say(f"{self._failed} of {self._songs} songs failed.")
        elif self._going_on and self._songs == 1:
            say(f"See what becomes of it: genrewiz watch {self._going_on}")
        raise typer.Exit(exit_code(good=self._good, failed=self._failed))

    def _show(self, answer: Answer) -> None:
        self._form.show(answer)
        if answer.is_good:
            self._good += 1
            self._going_on = answer.job_that_goes_on
        else:
            self._failed += 1
        with self._lock:
            self._ids.pop(answer.name, None)

    def _say_what_is_left(self, how: str) -> None:
        if self._songs > 1:
            say(f"{how} after {self._good + self._failed} of {self._songs} songs.")
        with self._lock:
            left = dict(self._ids)
        if left:
            say("These were submitted, and go on without us:")
        for name, job_id in left.items():
            say(f"  {job_id}  {shown(name)}")
        if self._resumable:
            say("The same command goes on where this one stopped.")
