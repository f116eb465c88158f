"""Whether an address that leads nowhere was opened by a person: who gets the page, and who a problem.

It looks at nothing but the request, and at no route that there is: what those answer is theirs to say.
"""

from typing import Final

from flask import Request

HTML: Final = "text/html"


def wants_page(request: Request) -> bool:
    """Whether a browser went to an address of no route: programs say `*/*`, or nothing, or JSON."""
    return (
        request.url_rule is None
        and request.method in ("GET", "HEAD")
        and any(name.lower() == HTML and weight > 0 for name, weight in request.accept_mimetypes)
    )
