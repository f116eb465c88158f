"""What an upload of 1 MB costs beside a bare Flask route that saves the file: CPU of the api process.

Eight clients at once, on connections that are kept; the files are all different, as each job's song is.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from http_servers import Servers, ask, caller, median_ratio, milliseconds_each, servers
from record import record

from support.api_server import BOUNDARY, END, WAV, file_part

ROUNDS = 15
UPLOADS = 80  # a round
FILE_BYTES = 1_000_000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as both:
        pairs = measure(both, rounds)
    record(
        "http_upload",
        {
            "cpu_milliseconds": statistics.median(ours for ours, _ in pairs),
            "bare_cpu_milliseconds": statistics.median(bare for _, bare in pairs),
            "to_bare_ratio": median_ratio(pairs),
        },
    )


def measure(both: Servers, rounds: int) -> list[tuple[float, float]]:
    """CPU milliseconds of an upload, ours and the bare one's; the first round only warms."""
    answer = both.api.post()
    answer.raise_for_status()
    with both.bare(answer.content) as bare:
        pairs = []
        for number in range(rounds + 1):
            requests = [upload(number, each) for each in range(UPLOADS)]

            def send(port: int, requests: list[bytes] = requests) -> None:
                ask(port, requests, status=202)

            pairs.append(tuple(milliseconds_each(server, send, UPLOADS) for server in (both.api, bare)))
            for file in both.api.audio.iterdir():  # no worker comes for it
                file.unlink()
    return pairs[1:]


def upload(round_number: int, number: int) -> bytes:
    content = WAV[:44] + f"{round_number:08d}{number:08d}".encode() * (FILE_BYTES // 16)
    body = file_part(content) + END
    return (
        f"POST /jobs HTTP/1.1\r\nHost: api.example\r\nX-Forwarded-For: {caller(round_number)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


if __name__ == "__main__":
    main()
