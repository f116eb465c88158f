"""`genrewiz openapi`: what a running server says of its own routes."""

from pathlib import Path
from typing import Annotated

import httpx
import typer

from genrewiz.commands.exits import ALL_FAILED, UNEXPECTED, UNREACHABLE
from genrewiz.commands.server import DEFAULT_SERVER, WHERE, KeyOption, ServerOption, end

TIMEOUT_SECONDS = 30.0


def openapi(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", show_default=False, help="Where to write it, instead of stdout."),
    ] = None,
    *,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Print the server's OpenAPI description, or write it to a file: tools make clients of it.

    Example: genrewiz openapi openapi.json
    """
    text = _fetched(f"{server.rstrip('/')}/openapi.json", api_key)
    if file is None:
        typer.echo(text, nl=not text.endswith(b"\n"))
        return
    try:
        file.write_bytes(text)
    except OSError as error:
        end(f"{file} cannot be written: {error.strerror}.", UNEXPECTED)


def _fetched(url: str, api_key: str | None) -> bytes:
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        answer = httpx.get(url, headers=headers, timeout=TIMEOUT_SECONDS)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        end(f"{url} does not answer ({error}). {WHERE}", UNREACHABLE)
    if not answer.is_success:
        end(f"{url} answers with status {answer.status_code}: it has no description there.", ALL_FAILED)
    return answer.content
