"""The embedded server's configuration."""

import stat

from genrewiz.serve.embedded import prepare, server_binary


def test_the_server_keeps_every_job_and_lets_nobody_in_without_the_password(tmp_path):
    server = prepare(tmp_path / "redis")

    config = tmp_path / "redis" / "server.conf"
    lines = set(config.read_text().splitlines())
    assert {"appendonly yes", "appendfsync always", "maxmemory-policy noeviction", "bind 127.0.0.1"} <= lines
    password = next(line.split()[1] for line in lines if line.startswith("requirepass "))
    assert server.url == f"redis://:{password}@127.0.0.1:{server.port}/0"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert server.command == [str(server_binary()), str(config)]


def test_each_start_has_a_password_of_its_own(tmp_path):
    assert prepare(tmp_path).url != prepare(tmp_path).url
