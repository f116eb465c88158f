"""The operations of webhook endpoints and deliveries in words, and the links between them.

What is sent to receivers stands in `webhook_events.py`.
"""

from typing import Final

from api.openapi.forms import JSON, Answer, Errors, JsonObject, Operation, Takes
from shared import webhook_bodies as bodies
from shared.errors import (
    EndpointDisabled,
    InvalidRequest,
    TooManyEndpoints,
    UnknownDelivery,
    UnknownEndpoint,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
    UrlBlocked,
)
from shared.webhook_requests import EndpointChange, EndpointRequest, Recovery, SecretRotation

BODY: Final[Errors] = (UploadTooSlow, UploadTooLarge, UnsupportedMediaType, InvalidRequest)
"""What a body may be refused with."""
AT_AN_ENDPOINT: Final = (
    "GetEndpoint",
    "ChangeEndpoint",
    "RotateSecret",
    "TestEndpoint",
    "RecoverDeliveries",
    "ListDeliveriesOfEndpoint",
    "DeleteEndpoint",
)
AT_A_DELIVERY: Final = ("GetDelivery", "Redeliver")

WEBHOOK_OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("POST", "/webhook-endpoints"): Operation(
        id="createWebhookEndpoint",
        tag="webhooks",
        summary="Make an endpoint",
        description="A receiver that your jobs can name from now on. Its secret, with which it checks what "
        "comes, is shown in this answer and never again.",
        takes=Takes(body=EndpointRequest, examples="endpoint_request"),
        answers={
            201: Answer(
                description="The endpoint, with its secret.",
                body=bodies.WebhookEndpointWithSecret,
                headers=("Location", "CacheControl"),
                examples="endpoint_with_secret",
                links=AT_AN_ENDPOINT,
            )
        },
        errors=(*JSON, *BODY, UrlBlocked, TooManyEndpoints),
    ),
    ("GET", "/webhook-endpoints"): Operation(
        id="listWebhookEndpoints",
        tag="webhooks",
        summary="List your endpoints",
        description="All of them, the youngest first: a hundred at most. Where there are no keys, they are "
        "those of your address.",
        answers={
            200: Answer(
                description="The endpoints.",
                body=bodies.WebhookEndpointList,
                headers=("CacheControl",),
                examples="endpoints",
                links=("FirstEndpointListed",),
            )
        },
        errors=JSON,
    ),
    ("GET", "/webhook-endpoints/<endpoint_id>"): Operation(
        id="getWebhookEndpoint",
        tag="webhooks",
        summary="Get an endpoint",
        description="The endpoint as it is now: whether it is enabled, and since when it has been failing.",
        parameters=("EndpointId",),
        answers={
            200: Answer(
                description="The endpoint.",
                body=bodies.WebhookEndpoint,
                headers=("CacheControl",),
                examples="endpoint",
                links=AT_AN_ENDPOINT,
            )
        },
        errors=(*JSON, UnknownEndpoint),
    ),
    ("PATCH", "/webhook-endpoints/<endpoint_id>"): Operation(
        id="changeWebhookEndpoint",
        tag="webhooks",
        summary="Change an endpoint",
        description="What the body names is as it says from now on, also for what waits; the rest stays as "
        "it is. `enabled: true` also enables one that has answered 410 or failed for too long.",
        parameters=("EndpointId",),
        takes=Takes(
            body=EndpointChange,
            examples="endpoint_change",
            media=("application/json", "application/merge-patch+json"),
        ),
        answers={
            200: Answer(
                description="The endpoint as it is now.",
                body=bodies.WebhookEndpoint,
                examples="endpoint",
                links=AT_AN_ENDPOINT,
            )
        },
        errors=(*JSON, *BODY, UrlBlocked, UnknownEndpoint),
    ),
    ("DELETE", "/webhook-endpoints/<endpoint_id>"): Operation(
        id="deleteWebhookEndpoint",
        tag="webhooks",
        summary="Delete an endpoint",
        description="What waits for it is not sent any more: it fails as `endpoint_deleted`. Jobs that name "
        "it run on, and tell nobody.",
        parameters=("EndpointId",),
        answers={204: Answer(description="It is gone.", links=("GetDeletedEndpoint",))},
        errors=(UnknownEndpoint,),
    ),
    ("POST", "/webhook-endpoints/<endpoint_id>/rotate-secret"): Operation(
        id="rotateWebhookSecret",
        tag="webhooks",
        summary="Rotate a secret",
        description="A new secret signs from now on, yours or one that is made. The one before signs beside "
        "it for 24 hours more, so that receivers can be changed without haste; one before that no more.",
        parameters=("EndpointId",),
        takes=Takes(body=SecretRotation, examples="rotation", required=False),
        answers={
            200: Answer(
                description="The endpoint, with its new secret.",
                body=bodies.WebhookEndpointWithSecret,
                headers=("CacheControl",),
                examples="endpoint_with_secret",
                links=AT_AN_ENDPOINT,
            )
        },
        errors=(*JSON, *BODY, UnknownEndpoint),
    ),
    ("POST", "/webhook-endpoints/<endpoint_id>/test"): Operation(
        id="testWebhookEndpoint",
        tag="webhooks",
        summary="Send a test",
        description="A `webhook.test` is sent to it as any event is, also where the endpoint is disabled. "
        "Get the delivery to see what came of it.",
        parameters=("EndpointId",),
        answers={
            202: Answer(
                description="The delivery of the test.",
                body=bodies.WebhookDelivery,
                headers=("Location",),
                examples="delivery",
                only=("test",),
                links=AT_A_DELIVERY,
            )
        },
        errors=(*JSON, UnknownEndpoint),
    ),
    ("POST", "/webhook-endpoints/<endpoint_id>/recover"): Operation(
        id="recoverWebhookDeliveries",
        tag="webhooks",
        summary="Send again what has failed",
        description="All deliveries at this endpoint that have failed, of events since this time, are due "
        "again: for a receiver that was away for longer than it is waited for. An endpoint that is disabled "
        "has to be enabled first.",
        parameters=("EndpointId",),
        takes=Takes(body=Recovery, examples="recovery"),
        answers={
            202: Answer(
                description="So many are due.",
                body=bodies.Recovered,
                examples="recovered",
                links=("ListRecoveredDeliveries",),
            )
        },
        errors=(*JSON, *BODY, UnknownEndpoint, EndpointDisabled),
    ),
    ("GET", "/webhook-deliveries"): Operation(
        id="listWebhookDeliveries",
        tag="webhooks",
        summary="List deliveries",
        description="Your own, the youngest first, a page at a time, without their attempts: what was sent "
        "to your endpoints and to the webhooks of your jobs. They are kept for seven days.",
        parameters=("EndpointOfDeliveries", "DeliveryStatus", "Since", "Limit", "Cursor"),
        answers={
            200: Answer(
                description="A page.",
                body=bodies.WebhookDeliveryPage,
                headers=("Link", "CacheControl"),
                examples="delivery_page",
                links=("FirstDeliveryListed",),
            )
        },
        errors=(*JSON, InvalidRequest, UnknownEndpoint),
    ),
    ("GET", "/webhook-deliveries/<delivery_id>"): Operation(
        id="getWebhookDelivery",
        tag="webhooks",
        summary="Get a delivery",
        description="What was sent, and of each attempt when it was, how long it took, and what the "
        "receiver said.",
        parameters=("DeliveryId",),
        answers={
            200: Answer(
                description="The delivery.",
                body=bodies.WebhookDelivery,
                headers=("CacheControl",),
                examples="delivery",
                links=AT_A_DELIVERY,
            )
        },
        errors=(*JSON, UnknownDelivery),
    ),
    ("POST", "/webhook-deliveries/<delivery_id>/redeliver"): Operation(
        id="redeliverWebhook",
        tag="webhooks",
        summary="Send a delivery again",
        description="It is due now, under the same id, whatever became of it before. One that is just being "
        "sent is sent once more unless it arrives.",
        parameters=("DeliveryId",),
        answers={
            202: Answer(
                description="The delivery, which is due.",
                body=bodies.WebhookDelivery,
                headers=("Location",),
                examples="delivery",
                only=("retried",),
                links=AT_A_DELIVERY,
            )
        },
        errors=(*JSON, UnknownDelivery, EndpointDisabled),
    ),
}

WEBHOOK_LINKS: Final[JsonObject] = {
    name: {"operationId": operation, "parameters": {parameter: value}, "description": text}
    for name, operation, parameter, value, text in (
        ("GetEndpoint", "getWebhookEndpoint", "endpoint_id", "$response.body#/id", "See how it is."),
        ("ChangeEndpoint", "changeWebhookEndpoint", "endpoint_id", "$response.body#/id", "Change it."),
        ("RotateSecret", "rotateWebhookSecret", "endpoint_id", "$response.body#/id", "Change its secret."),
        ("TestEndpoint", "testWebhookEndpoint", "endpoint_id", "$response.body#/id", "Try it."),
        (
            "RecoverDeliveries",
            "recoverWebhookDeliveries",
            "endpoint_id",
            "$response.body#/id",
            "Send again what has failed.",
        ),
        (
            "ListDeliveriesOfEndpoint",
            "listWebhookDeliveries",
            "endpoint",
            "$response.body#/id",
            "See what was sent to it.",
        ),
        ("DeleteEndpoint", "deleteWebhookEndpoint", "endpoint_id", "$response.body#/id", "Remove it."),
        (
            "GetDeletedEndpoint",
            "getWebhookEndpoint",
            "endpoint_id",
            "$request.path.endpoint_id",
            "It is gone: 404.",
        ),
        (
            "FirstEndpointListed",
            "getWebhookEndpoint",
            "endpoint_id",
            "$response.body#/endpoints/0/id",
            "The youngest endpoint.",
        ),
        (
            "ListRecoveredDeliveries",
            "listWebhookDeliveries",
            "endpoint",
            "$request.path.endpoint_id",
            "See what becomes of them.",
        ),
        ("GetDelivery", "getWebhookDelivery", "delivery_id", "$response.body#/id", "See what came of it."),
        ("Redeliver", "redeliverWebhook", "delivery_id", "$response.body#/id", "Send it again."),
        (
            "FirstDeliveryListed",
            "getWebhookDelivery",
            "delivery_id",
            "$response.body#/deliveries/0/id",
            "The youngest delivery of the page, with its attempts.",
        ),
    )
}
