"""A settings line inside a long text is compared entry by entry."""

from __future__ import annotations

import json

import pytest

from policies.parity.text import embedded, parts_of

SETTINGS = {
    "issuer": "https://login.example.com",
    "allowed": {"values": {"a,b": True, "}": True}, "n": 1},
    "header": 'x"-user]==] and more of it, so that the line is long enough',
}
LINE = f"local settings = json.decode([==[{json.dumps(SETTINGS)}]==])"


def test_a_short_text_is_one_part() -> None:
    assert parts_of("one line") == {"": "one line"}


def test_each_entry_of_an_object_is_a_part_with_nested_values_whole() -> None:
    parts = parts_of(f"-- code\n{LINE}\nreturn 1")
    assert {key: text if not key else json.loads(text) for key, text in parts.items()} == {
        "": "-- code\n…\nreturn 1",
        **{f'["{key}"]': value for key, value in SETTINGS.items()},
    }
    assert parts['["allowed"]'] == '{"values":{"a,b":true,"}":true},"n":1}'


def test_the_object_can_be_read_as_a_whole() -> None:
    assert embedded(f"-- code\n{LINE}\nreturn 1") == SETTINGS


@pytest.mark.parametrize("line", ['local t = {"a", "b"}' + " " * 100, 'x = {"a": ' + "1" * 100, "{" * 200])
def test_what_is_no_json_is_compared_as_text(line: str) -> None:
    text = f"-- code\n{line}"
    assert parts_of(text) == {"": text}
    assert embedded(text) == {}
