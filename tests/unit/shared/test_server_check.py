"""What is said of a Redis server, from what it says of itself."""

import pytest

from shared.server_check import judge

INFO = {"redis_version": "7.2.4", "valkey_version": "9.1.2"}
PARAMETERS = {
    "cluster-enabled": "0",
    "maxmemory-policy": "noeviction",
    "appendonly": "1",
    "appendfsync": "always",
}


@pytest.mark.parametrize(
    "info",
    [
        INFO,
        {"redis_version": "7.0.15"},
        {"redis_version": "8.4.0"},
        {"redis_version": 7.4},  # redis-py makes a number of what looks like one
        {"redis_version": "255.255.255"},  # built from the development branch
    ],
)
def test_nothing_is_said_of_a_server_that_keeps_what_it_is_given(info):
    findings = judge(info, PARAMETERS)

    assert (findings.refusals, findings.risks, findings.unseen) == ((), (), ())


@pytest.mark.parametrize("version", ["6.2.14", "5.0.14", "6.3.4", "2.8"])
def test_a_server_that_hides_why_it_refuses_a_script_is_too_old(version):
    (refusal,) = judge({"redis_version": version}, PARAMETERS).refusals

    assert refusal == f"Redis {version} is too old: Redis 7.0 or newer is needed, or any Valkey."


@pytest.mark.parametrize("value", ["1", "yes"])
def test_a_cluster_is_refused_whether_info_or_config_tells(value):
    (refusal,) = judge(INFO, PARAMETERS | {"cluster-enabled": value}).refusals

    assert "Redis Cluster" in refusal


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"])
def test_a_server_that_evicts_is_refused_and_the_sentence_says_what_to_set(policy):
    (refusal,) = judge(INFO, PARAMETERS | {"maxmemory-policy": policy}).refusals

    assert f"maxmemory-policy {policy} to noeviction" in refusal


@pytest.mark.parametrize(
    ("changes", "loses"),
    [
        ({"appendonly": "0"}, "a restart"),
        ({"appendonly": "no", "appendfsync": "always"}, "a restart"),
        ({"appendfsync": "everysec"}, "the last two seconds"),
        ({"appendfsync": "no"}, "the last half minute"),
    ],
)
def test_a_server_that_forgets_at_a_fault_is_a_risk_and_no_refusal(changes, loses):
    findings = judge(INFO, PARAMETERS | changes)

    (risk,) = findings.risks
    assert loses in risk
    assert findings.refusals == ()


def test_what_nobody_lets_us_see_is_named_and_neither_refused_nor_a_risk():
    findings = judge({}, {})

    assert findings.unseen == (
        "version",
        "cluster-enabled",
        "maxmemory-policy",
        "appendonly",
        "appendfsync",
    )
    assert (findings.refusals, findings.risks) == ((), ())
    assert findings.name == "Redis of unknown version"
