"""How much an api process grows while 200 MB are uploaded to it: one upload, and four at once.

Each uploads as fast as the api reads. What is measured is the peak of the resident memory, so that nothing
between two looks is missed.
"""

import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from http_servers import servers
from record import record

from support.api_server import END, WAV, ApiServer, file_part, upload

FILE_BYTES = 200_000_000
AT_ONCE = 4
PIECE_BYTES = 2**18


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        servers(Path(name), GENREWIZ_MAX_UPLOAD_BYTES=str(FILE_BYTES + 1_000)) as both,
    ):
        send(both.api, 1_000_000)  # warm
        figures = {
            "megabytes_grown": grown(both.api, 1),
            f"megabytes_grown_{AT_ONCE}_at_once": grown(both.api, AT_ONCE),
        }
    record("http_memory", figures)


def grown(api: ApiServer, uploads: int) -> float:
    """Megabytes by which the peak lies above what the process held before."""
    (pid,) = api.workers()
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    before = kilobytes(pid, "VmRSS")
    with ThreadPoolExecutor(uploads) as threads:
        list(threads.map(lambda _: send(api, FILE_BYTES), range(uploads)))
    for file in api.audio.iterdir():
        file.unlink()
    return (kilobytes(pid, "VmHWM") - before) * 1_024 / 1_000_000


def send(api: ApiServer, size: int) -> None:
    begin = file_part(WAV[:44]).removesuffix(b"\r\n")
    body_bytes = len(begin) + size + len(b"\r\n" + END)
    with socket.create_connection(("127.0.0.1", api.port)) as connection:
        connection.sendall(upload(length=body_bytes) + begin)
        for _ in range(size // PIECE_BYTES):
            connection.sendall(bytes(PIECE_BYTES))
        connection.sendall(bytes(size % PIECE_BYTES) + b"\r\n" + END)
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 202 "), answer


def kilobytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


if __name__ == "__main__":
    main()
