"""The text of an API key and what is kept of it."""

import pytest

from shared.api_keys import ApiKey, hash_of, id_of, is_name, new_text


def kept(text: str) -> ApiKey:
    return ApiKey(
        id=id_of(text), name="radio", rights=frozenset({"read"}), sha256=hash_of(text), created_at=1.0
    )


def test_a_key_names_its_id_and_has_a_secret_of_32_bytes_without_an_underscore():
    key_id, text = new_text()

    prefix, middle, secret = text.split("_")

    assert (prefix, middle) == ("gw", key_id)
    assert len(bytes.fromhex(secret)) == 32
    assert id_of(text) == key_id
    assert new_text()[1] != text


def test_a_key_is_known_by_its_whole_text():
    _, text = new_text()
    other = text[:-1] + ("0" if text[-1] != "0" else "1")

    assert kept(text).is_of(text)
    assert not kept(text).is_of(other)


def test_what_is_kept_of_a_key_does_not_show_it():
    _, text = new_text()

    shown = repr(kept(text))

    assert text.rpartition("_")[2] not in shown
    assert hash_of(text) not in shown


@pytest.mark.parametrize(
    "text",
    ["", "gw_", "gw_0123456789ab_", "GW_0123456789ab_" + "0" * 64, "gw_0123456789ab_" + "0" * 64 + "\n"],
)
def test_what_is_no_key_has_no_id(text):
    assert id_of(text) is None


@pytest.mark.parametrize(("text", "well"), [("radio fm4", True), ("", False), (" ", False), ("a\nb", False)])
def test_a_name_is_printable(text, well):
    assert is_name(text) is well
