"""What the ids of webhook endpoints and deliveries look like: text that is none names nothing there ever was.

It asks no store.
"""

import re
from typing import Final

from shared.errors import UnknownDelivery, UnknownEndpoint
from shared.job_webhook import EndpointId
from shared.webhooks import DeliveryId

ENDPOINT_ID: Final = re.compile(r"whe_[0-9a-f]{24}")
DELIVERY_ID: Final = re.compile(r"msg_[0-9a-f]{24}(_[1-9][0-9]{0,14})?")


def is_endpoint_id(text: str) -> bool:
    """Whether an endpoint can have this id."""
    return ENDPOINT_ID.fullmatch(text) is not None


def is_delivery_id(text: str) -> bool:
    """Whether a delivery can have this id."""
    return DELIVERY_ID.fullmatch(text) is not None


def parse_endpoint_id(text: str) -> EndpointId:
    """The id; UnknownEndpoint where no endpoint can have it."""
    if not is_endpoint_id(text):
        raise unknown_endpoint()
    return EndpointId(text)


def parse_delivery_id(text: str) -> DeliveryId:
    """The id; UnknownDelivery where no delivery can have it."""
    if not is_delivery_id(text):
        raise unknown_delivery()
    return DeliveryId(text)


def unknown_endpoint() -> UnknownEndpoint:
    """The same words, whether it never was or is another's."""
    return UnknownEndpoint("There is no endpoint with this id.")


def unknown_delivery() -> UnknownDelivery:
    """The same words, whether it never was or is another's."""
    return UnknownDelivery("There is no delivery with this id.")
