"""The proxy breaks what it says that it breaks."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from faults.proxy import Proxy
from genrewiz.serve.ports import free_port

SHORT_SECONDS = 0.3


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that says again what it hears."""

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionResetError):
            while data := connection.recv(65_536):
                connection.sendall(data)

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo_port) -> Iterator[Proxy]:
    proxy = Proxy(free_port(), echo_port)
    yield proxy
    proxy.close()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=60)


def asked(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return connection.recv(len(data))


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(SHORT_SECONDS)
    try:
        connection.recv(1)
    except TimeoutError:
        connection.settimeout(60)
        return True
    return False


def test_everything_passes(proxy):
    with connect(proxy) as connection:
        assert asked(connection, b"hello") == b"hello"


def test_the_end_of_one_side_reaches_the_other(proxy):
    with connect(proxy) as connection:
        asked(connection, b"hello")
        connection.shutdown(socket.SHUT_WR)

        assert connection.recv(1) == b""


def test_a_black_hole_is_silent_to_old_and_new_connections_and_gives_all_when_it_is_healed(proxy):
    with connect(proxy) as old:
        asked(old, b"hello")
        proxy.black_hole()
        with connect(proxy) as new:
            old.sendall(b"old")
            new.sendall(b"new")
            assert is_silent(old)
            assert is_silent(new)

            proxy.heal()

            assert (old.recv(3), new.recv(3)) == (b"old", b"new")


def test_stranded_connections_stay_silent_and_new_ones_pass(proxy):
    with connect(proxy) as old:
        asked(old, b"hello")
        proxy.strand()
        old.sendall(b"old")
        with connect(proxy) as new:
            assert asked(new, b"new") == b"new"
            assert is_silent(old)


def test_a_reset_ends_every_connection_and_new_ones_pass(proxy):
    with connect(proxy) as old:
        asked(old, b"hello")
        proxy.reset()

        with pytest.raises(ConnectionResetError):
            old.recv(1)
    with connect(proxy) as new:
        assert asked(new, b"hello") == b"hello"


def test_nobody_listens_while_it_refuses(proxy):
    proxy.refuse()

    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.heal()
    with connect(proxy) as connection:
        assert asked(connection, b"hello") == b"hello"


def test_latency_is_added_either_way(proxy):
    proxy.slow(SHORT_SECONDS)

    with connect(proxy) as connection:
        start = time.monotonic()
        asked(connection, b"hello")

    assert time.monotonic() - start >= 2 * SHORT_SECONDS


def test_a_server_that_is_not_there_is_a_hang_up():
    nobody = free_port()
    proxy = Proxy(free_port(), nobody)

    # It may be reset before the system call that connects has returned.
    with contextlib.suppress(ConnectionResetError), connect(proxy) as connection:
        assert connection.recv(1) == b""

    proxy.close()
