"""One HTTP exchange with a checked target: to its addresses and no others, under the name of its URL.

No redirects, no retries, no pools, no proxies of the environment, no decompression. Whether a target may be
asked is the guard's business (`egress.py`).
"""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import make_headers

from shared.deadline import Deadline
from shared.egress import Target
from shared.errors import FetchFailed, FetchTimeout, SetupError
from shared.framing import BadAnswer, FramedResponse
from shared.settings import Settings
from shared.urls import IpAddress

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
"""Of one read, unless something else is given: a server that sends nothing for so long is given up."""
PROXY_PORT: Final = 80
HEADERS: Final = {"User-Agent": "GenreWiz", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a target: a GET, unless it says otherwise."""

    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # beside and before HEADERS
    body: bytes | None = field(default=None, repr=False)


GET: Final = Request()


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The one way out, where the operator has set one."""

    host: str
    port: int
    headers: Mapping[str, str]  # its credentials


class NoHttp(BadAnswer):
    """What came is no HTTP at all."""

    def __init__(self, first_line: str) -> None:
        super().__init__("The URL's server does not answer in HTTP.")
        self.first_line = first_line


class Answer:
    """The answer of a server: its header has come, its body is read piece by piece."""

    def __init__(self, response: BaseHTTPResponse, deadline: Deadline) -> None:
        self._response = response
        self._deadline = deadline
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers  # names in any case

    def read(self, most_bytes: int) -> bytes:
        """What has arrived of the body, as it was sent; nothing at its end. FetchFailed, FetchTimeout."""
        with _failures(self._deadline):
            data = self._response.read1(most_bytes, decode_content=False)
        # A connection without a length ends where it is shut down, and then nothing has failed.
        self._deadline.check()
        return data


class PinnedHttp:
    """Asks targets, directly or through the operator's proxy."""

    def __init__(self, *, proxy: Proxy | None = None, authorities: Path | None = None) -> None:
        """authorities: a file of certificates to be trusted in place of the system's and certifi's."""
        self._proxy = proxy
        self._tls = ssl.create_default_context(cafile=authorities)
        if authorities is None:
            self._tls.load_verify_locations(certifi.where())  # a small container has none of its own

    @contextlib.contextmanager
    def ask(
        self,
        target: Target,
        deadline: Deadline,
        request: Request = GET,
        *,
        read_seconds: float | None = None,
    ) -> Iterator[Answer]:
        """The answer to a request; the connection is closed behind it.

        read_seconds: for so long it may keep us waiting. Raises FetchFailed where the server cannot be
        reached, cannot prove its name or breaks off, BadAnswer where its answer cannot be read, FetchTimeout.
        """
        with contextlib.ExitStack() as stack:
            with _failures(deadline):
                connection = self._connected(target, deadline, read_seconds)
                stack.callback(connection.close)
                connection.request(
                    request.method,
                    self._asked_for(target),
                    body=request.body,
                    headers={
                        **HEADERS,
                        **request.headers,
                        "Host": target.url.authority,
                        **self._proxy_headers(target),
                    },
                    preload_content=False,
                    decode_content=False,
                    enforce_content_length=True,
                )
                response = connection.getresponse()
            deadline.check()
            stack.callback(response.close)
            yield Answer(response, deadline)

    def _connected(self, target: Target, deadline: Deadline, read_seconds: float | None) -> HTTPConnection:
        """A connection to the first of the addresses that answers."""
        unreached: Exception = FetchFailed("The URL's host has no address.")
        for address in target.addresses:
            connection = self._connection(target, address, deadline)
            # http.client asks for a class, and only calls it.
            connection.response_class = partial(FramedResponse, patience_seconds=read_seconds)  # type: ignore[assignment]
            connection.timeout = min(CONNECT_SECONDS, deadline.remaining_seconds + 0.001)  # 0 is no time-out
            try:
                connection.connect()
            except (NewConnectionError, ConnectTimeoutError) as error:
                connection.close()
                deadline.check()
                unreached = error
            except BaseException:
                connection.close()
                raise
            else:
                connection.timeout = READ_SECONDS if read_seconds is None else read_seconds
                return connection
        raise unreached

    def _connection(self, target: Target, address: IpAddress, deadline: Deadline) -> HTTPConnection:
        url, proxy = target.url, self._proxy
        host, port = (str(address), url.port) if proxy is None else (proxy.host, proxy.port)
        if url.scheme == "http":
            return _Http(host, port, on_socket=deadline.watch)
        connection = _Https(
            host,
            port,
            on_socket=deadline.watch,
            ssl_context=self._tls,
            # The certificate is that of the name, whatever address the connection goes to.
            server_hostname=url.host,
        )
        if proxy is not None:
            connection.set_tunnel(str(address), url.port, headers=proxy.headers)
        return connection

    def _asked_for(self, target: Target) -> str:
        """What is asked for: of a proxy for plain http the checked address, not the name."""
        url = target.url
        if self._proxy is None or url.scheme == "https":
            return url.target
        address = target.addresses[0]
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"http://{host}:{url.port}{url.target}"

    def _proxy_headers(self, target: Target) -> Mapping[str, str]:
        return self._proxy.headers if self._proxy is not None and target.url.scheme == "http" else {}


def make_http(settings: Settings) -> PinnedHttp:
    """HTTP as the operator has set it; SetupError where the proxy is of a kind that we do not speak to."""
    url = settings.egress_proxy
    if url is None:
        return PinnedHttp()
    if url.scheme != "http" or url.host is None:
        raise SetupError("GENREWIZ_EGRESS_PROXY: only proxies that are spoken to by http:// are known.")
    login = f"{url.username or ''}:{url.password or ''}" if url.username else None
    return PinnedHttp(
        proxy=Proxy(
            host=url.host.strip("[]"),
            port=url.port or PROXY_PORT,
            headers=make_headers(proxy_basic_auth=login),
        )
    )


class _Http(HTTPConnection):
    """Shows its socket as soon as there is one, before anything is read from it."""

    def __init__(self, host: str, port: int, *, on_socket: Callable[[socket.socket], None]) -> None:
        super().__init__(host, port)
        self._on_socket = on_socket

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._on_socket(connection)
        return connection


class _Https(HTTPSConnection):
    """The same with TLS: a handshake can be dripped, too."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        on_socket: Callable[[socket.socket], None],
        ssl_context: ssl.SSLContext,
        server_hostname: str,
    ) -> None:
        super().__init__(host, port, ssl_context=ssl_context, server_hostname=server_hostname)
        self._on_socket = on_socket

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._on_socket(connection)
        return connection


@contextlib.contextmanager
def _failures(deadline: Deadline) -> Iterator[None]:
    """What the libraries raise, in our words; theirs repeat the URL."""
    try:
        yield
    except BadAnswer:
        deadline.check()  # what it cuts off is no fault of the answer's
        raise
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        deadline.check()
        raise _failure(error) from None


def _failure(error: Exception) -> FetchFailed | FetchTimeout:
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, OSError):
        return NoHttp(str(error))
    if isinstance(error, ssl.SSLError | ssl.CertificateError | SSLError):
        return FetchFailed("The URL's server cannot prove its name, or speaks no TLS that we trust.")
    if isinstance(error, TimeoutError | HTTPTimeoutError) and not isinstance(error, NewConnectionError):
        return FetchTimeout("The URL's server does not answer in time.")
    if isinstance(error, NewConnectionError):
        return FetchFailed("The URL's server cannot be reached.")
    if isinstance(error, OSError):
        return FetchFailed("The URL's server breaks off without an answer.")
    return BadAnswer("The URL's server broke off, or its answer cannot be read as HTTP.")
