"""For how long, and of how many, the answers about keys are remembered."""

import pytest

from api.key_cache import REMEMBERED_SECONDS, KeyCache
from api.remembered import MOST_REMEMBERED
from shared.api_keys import ApiKey, hash_of, new_text
from shared.errors import StoreUnavailable
from shared.redis_api_keys import Lookup


class Store:
    """Keys in memory; counts what it is asked."""

    def __init__(self) -> None:
        self.kept: dict[str, ApiKey] = {}
        self.asked = 0
        self.uses = 0
        self.is_away = False
        self.takes_no_writes = False

    def add(self) -> str:
        key_id, text = new_text()
        self.kept[key_id] = ApiKey(
            id=key_id, name="n", rights=frozenset({"read"}), sha256=hash_of(text), created_at=1.0
        )
        return text

    def look_up(self, key_id):
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable
        return Lookup(keys_on=True, key=self.kept.get(key_id), use_is_due=True)

    def used(self, key_id):
        self.uses += 1
        if self.takes_no_writes:
            raise StoreUnavailable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(store, clock) -> KeyCache:
    return KeyCache(store, clock=clock)


def test_a_key_is_looked_up_once_in_two_seconds(store, clock, cache):
    text = store.add()

    for _ in range(10):
        assert cache.find(text)[1] is not None
    clock.now += REMEMBERED_SECONDS - 0.01
    cache.find(text)

    assert (store.asked, store.uses) == (1, 1)


def test_whether_a_caller_is_still_let_in_is_asked_no_oftener_than_its_key(store, clock, cache):
    text = store.add()
    (key,) = store.kept.values()

    assert cache.find(text)[1] == cache.by_id(key.id) == key
    assert all(cache.still_lets_in(key.caller) for _ in range(10))
    assert cache.still_lets_in("198.51.100.7")  # no key's: nothing to ask
    assert store.asked == 1

    store.kept.clear()
    clock.now += REMEMBERED_SECONDS
    assert not cache.still_lets_in(key.caller)


def test_a_key_that_was_revoked_is_let_in_for_no_longer_than_two_seconds(store, clock, cache):
    text = store.add()
    cache.find(text)
    store.kept.clear()

    clock.now += REMEMBERED_SECONDS

    assert REMEMBERED_SECONDS <= 2
    assert cache.find(text) == (True, None)


def test_another_secret_behind_a_remembered_id_is_refused_and_no_use_of_the_key(store, clock, cache):
    text = store.add()
    cache.find(text)
    clock.now += REMEMBERED_SECONDS

    wrong = text[:-64] + "0" * 64

    assert cache.find(wrong) == (True, None)
    assert store.uses == 1


def test_keys_that_nobody_made_are_remembered_too_and_never_too_many(store, cache):
    for _ in range(MOST_REMEMBERED + 500):
        cache.find(new_text()[1])
    asked = store.asked
    last = new_text()[1]
    cache.find(last)
    cache.find(last)

    assert store.asked == asked + 1
    assert len(cache._lookups) == MOST_REMEMBERED


def test_what_is_no_key_at_all_costs_one_question_whatever_it_says(store, cache):
    for number in range(50):
        assert cache.find(f"nonsense {number}") == (True, None)

    assert store.asked == 1


def test_without_redis_nobody_is_let_in_once_nothing_is_remembered(store, clock, cache):
    text = store.add()
    cache.find(text)
    store.is_away = True

    assert cache.find(text)[1] is not None
    clock.now += REMEMBERED_SECONDS
    with pytest.raises(StoreUnavailable):
        cache.find(text)


def test_a_server_that_takes_no_writes_still_lets_keys_in(store, cache):
    store.takes_no_writes = True

    assert cache.find(store.add())[1] is not None
