"""`genrewiz keys`: makes, lists and revokes the API keys of a service, and shows the secret of its webhooks.

Light at import: the Redis client is loaded when a command runs. `add` alone shows a key, once, on stdout.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from shared.api_keys import DEFAULT_RIGHTS, MAX_NAME_CHARACTERS, RIGHTS, ApiKey, KeyId, is_name

if TYPE_CHECKING:
    from redis import Redis

    from shared.redis_api_keys import RedisApiKeys
    from shared.settings import Settings

FAILED, USAGE, ALL_FAILED, UNREACHABLE = 1, 2, 4, 5

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The folder that `genrewiz serve` was started with, where GENREWIZ_REDIS_URL is not set. "
        "[default: that of serve]",
        show_default=False,
    ),
]


def keys() -> Mapping[str, Callable[..., Any]]:
    """Who may use the service: API keys. Without any, it is open to all."""
    return {
        "add": add,
        "list": list_keys,
        "revoke": revoke,
        "open": open_to_all,
        "webhook-secret": webhook_secret,
    }


def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the key is for.", show_default=False)],
    *,
    right: Annotated[
        list[str],
        typer.Option(
            "--right", metavar="|".join(RIGHTS), help="What its bearer may do; may stand several times."
        ),
    ] = list(DEFAULT_RIGHTS),  # noqa: B006  typer takes a copy
    data: DataOption = None,
) -> None:
    """Make a key and print it, once. From the first key on, every request for jobs needs one."""
    if not is_name(name):
        _refuse(f"A name has 1 to {MAX_NAME_CHARACTERS} printable characters.", status=USAGE)
    rights = [known for known in RIGHTS if known in right]
    if set(right) - set(rights):
        _refuse(f"The rights are {', '.join(RIGHTS)}.", status=USAGE)
    with _store(context, data) as store:
        was_open = not store.keys_on()
        key, text = store.add(name, rights)
    typer.echo(text)
    _say(f"{key.id} may {_rights(key)}. Keep the key: it is not shown again.")
    if was_open:
        _say("From now on every request needs a key; jobs, webhook endpoints and deliveries that were made")
        _say("without one belong to none: no key sees them. Make your endpoints anew, with a key.")


def list_keys(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a key.")] = False,
    data: DataOption = None,
) -> None:
    """List the keys, without their secrets."""
    with _store(context, data) as store:
        found, keys_on = store.all(), store.keys_on()
    for key in found:
        typer.echo(json.dumps(_shown(key)) if as_json else _line(key))
    if not keys_on:
        _say("No key was made: the service is open to all.")
    elif not found:
        _say("No key is left: the service lets nobody in. `genrewiz keys open` opens it to all.")


def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.", show_default=False)],
    *,
    data: DataOption = None,
) -> None:
    """Revoke a key: within two seconds it is refused. The last one's end does not open the service."""
    with _store(context, data) as store:
        if not store.revoke(KeyId(key_id)):
            _refuse("There is no key with this id: `genrewiz keys list` shows them.", status=ALL_FAILED)
        is_last = not store.all()
    _say("Revoked.")
    if is_last:
        _say("No key is left, and the service stays closed: make another one, or `genrewiz keys open`.")


def open_to_all(context: typer.Context, *, data: DataOption = None) -> None:
    """Ask for keys no more, once the last one was revoked."""
    with _store(context, data) as store:
        if not store.open_to_all():
            _refuse("There are keys: revoke them first.")
    _say("The service is open to all.")


def webhook_secret(
    context: typer.Context,
    *,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Put a new one in force first; the old one signs for a day more.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Print the secret that signs webhooks which were given none of their own."""
    from shared.redis_keys import Keys
    from shared.redis_webhooks import RedisWebhooks

    with _redis(context, data) as redis:
        webhooks = RedisWebhooks(redis, Keys())
        in_force, *others = webhooks.rotate_instance_secret() if rotate else webhooks.instance_secrets()
    typer.echo(in_force.text)
    for each in others:
        _say(f"Until {_time(each.until)} the one before signs, too.")


@contextmanager
def _store(context: typer.Context, data: Path | None) -> "Iterator[RedisApiKeys]":
    """The keys of the service that is meant."""
    from shared.redis_api_keys import RedisApiKeys
    from shared.redis_keys import Keys

    with _redis(context, data) as redis:
        yield RedisApiKeys(redis, Keys())


@contextmanager
def _redis(context: typer.Context, data: Path | None) -> "Iterator[Redis]":
    """The Redis of the service that is meant; exits with a sentence where it cannot be reached."""
    from redis.exceptions import AuthenticationError, RedisError

    from shared.errors import SetupError, StoreUnavailable
    from shared.redis_client import connect

    try:
        settings, missing = _where(context, data)
        with connect(settings, retries=0) as redis:
            yield redis
    except SetupError as error:
        _refuse(error.detail)
    except (StoreUnavailable, AuthenticationError):
        # On the port of an embedded server that has stopped, somebody else may listen now.
        _refuse(missing, status=UNREACHABLE)
    except RedisError as error:
        _refuse(f"The Redis server refuses: {error}.")


def _where(context: typer.Context, data: Path | None) -> "tuple[Settings, str]":
    """Settings that lead to the server, and what to say where it does not answer."""
    from pydantic import RedisDsn

    from shared.settings import read_settings

    settings = read_settings()
    if data is None and "redis_url" in settings.model_fields_set:
        return settings, "The server of GENREWIZ_REDIS_URL does not answer, or refuses its user or password."
    folder, url = context.obj(data)
    missing = (
        f"No `genrewiz serve` runs on {folder}: start it, name its folder with --data, "
        "or name a Redis server in GENREWIZ_REDIS_URL."
    )
    if url is None:
        _refuse(missing, status=UNREACHABLE)
    return settings.model_copy(update={"redis_url": RedisDsn(url)}), missing


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "rights": sorted(key.rights),
        "created_at": _time(key.created_at),
        "last_used_at": _time(key.last_used_at),
    }


def _line(key: ApiKey) -> str:
    used = f"last used {_time(key.last_used_at)}" if key.last_used_at else "never used"
    return f"{key.id}  {_rights(key):<18}  made {_time(key.created_at)}, {used}  {key.name}"


def _rights(key: ApiKey) -> str:
    return ", ".join(sorted(key.rights))


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _refuse(sentence: str, *, status: int = FAILED) -> NoReturn:
    typer.echo(f"genrewiz keys: {sentence}", err=True)
    raise typer.Exit(status)
