"""The api's subcommands of `genrewiz`. They run no server; whatever is heavy is imported inside."""

from pathlib import Path
from typing import Annotated

import typer


def openapi(
    output: Annotated[
        Path | None,
        typer.Option("--output", help="A file to write to; by default it goes to standard output."),
    ] = None,
) -> None:
    """Print the description of the HTTP API (OpenAPI 3.1), as a server has it at /openapi.json."""
    from api.app import create_api
    from api.openapi.document import document, text_of
    from shared.model_card import RELEASED, read_model_card
    from shared.settings import Settings

    app = create_api(Settings()).app  # it connects to nothing
    text = text_of(document(app.url_map.iter_rules(), read_model_card(RELEASED)))
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
