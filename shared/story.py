"""A job's story in the logs: the fields by which one id finds every line of it, in whichever process.

It decides nothing about a job. What a client called a song, and where it came from, is no part of the story.
"""

import structlog

from shared.errors import TooManyAttempts
from shared.job import JobId
from shared.trace import Origin
from shared.transitions import Fate, News

log = structlog.get_logger(__name__)


def story_of(job_id: JobId, origin: Origin | None) -> dict[str, str]:
    """The fields of a line about this job, outside a request or a run of its own."""
    return {"job_id": job_id, **(origin.fields if origin else {})}


def tell(news: News) -> None:
    """What became of a job that nobody had in hand: a line, like that of the worker which ends one."""
    story = story_of(news.job_id, news.origin)
    if news.fate is Fate.QUEUED:
        log.warning("job recovered: its worker was lost", **story)
    elif news.fate is Fate.RUNG:
        log.info("doorbell rung again", **story)
    else:
        reason = TooManyAttempts.code if news.fate is Fate.FAILED else None
        log.info("job finished", **story, status=news.fate.value, reason=reason)
