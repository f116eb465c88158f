"""Helps schemathesis to what no schema can say: which bytes are a song. It changes no answer."""

import schemathesis

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


@schemathesis.hook
def map_body(context, body):
    """Most files begin as a song does: without, every upload would be refused at its first bytes."""
    if isinstance(body, dict) and isinstance(file := body.get("file"), bytes) and len(file) % 4:
        return body | {"file": WAV + file}
    return body
