"""What a job's id looks like: text from a path is one, or names no job that there ever was.

It asks no store: what is no id becomes no key and no file name.
"""

import re
import secrets
from typing import Final

from shared.errors import UnknownJob
from shared.job import JobId

RANDOM_BYTES: Final = 12
JOB_ID: Final = re.compile(rf"job_[0-9a-f]{{{2 * RANDOM_BYTES}}}")


def new_job_id() -> JobId:
    """An id that no job has."""
    return JobId(f"job_{secrets.token_hex(RANDOM_BYTES)}")


def is_job_id(text: str) -> bool:
    """Whether a job can have this id."""
    return JOB_ID.fullmatch(text) is not None


def parse_job_id(text: str) -> JobId:
    """The id; UnknownJob where no job can have it."""
    if not is_job_id(text):
        raise UnknownJob("There is no job with this id.")
    return JobId(text)
