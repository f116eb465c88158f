"""`genrewiz webhooks`: the commands of the group by name."""

from collections.abc import Callable, Mapping
from typing import Any

from genrewiz.commands.deliveries import deliveries, delivery, redeliver
from genrewiz.commands.endpoints import (
    add,
    list_endpoints,
    recover,
    remove,
    rotate,
    send_test,
    set_endpoint,
    show,
)


def webhooks() -> Mapping[str, Callable[..., Any]]:
    """Who hears of your jobs, and whether it has arrived: endpoints and deliveries of webhooks."""
    return {
        "add": add,
        "list": list_endpoints,
        "show": show,
        "set": set_endpoint,
        "remove": remove,
        "rotate": rotate,
        "test": send_test,
        "recover": recover,
        "deliveries": deliveries,
        "delivery": delivery,
        "redeliver": redeliver,
    }
