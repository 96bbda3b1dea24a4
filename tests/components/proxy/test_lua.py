"""Smaller Lua code is the same code: strings, fields and globals stay, and what could change its meaning is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.proxy import identity
from components.proxy.lua import compact, with_short_names

FILES = sorted(identity._FILES.glob("*.lua"))  # pyright: ignore[reportPrivateUsage] - the files that the script is made of
STRING = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")


def strings(code: str) -> list[str]:
    """The contents of the strings in code without comments."""
    return [found[1:-1] for found in STRING.findall(code)]


def test_comments_and_space_go_and_strings_stay() -> None:
    source = 'local a = "--  no comment"  -- one\n--[==[ a longer\none ]==]\nlocal  b =\n  a - 1\nreturn "it\'s", b\n'
    assert compact(source) == "local a='--  no comment'local b=a-1 return\"it's\",b"


@pytest.mark.parametrize("source", ["local a = f\n(g)()", "local a = b - -1"])
def test_code_whose_meaning_would_change_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="Lua code on one line"):
        compact(source)


def test_local_names_become_short_and_fields_globals_and_kept_names_stay() -> None:
    source = compact(
        "local settings = {reason = 1}\nlocal function refused(because)\nreturn {reason = because, other = settings.reason}\nend\n"
        "for position, value in ipairs(refused(1)) do print(position, value) end\nfunction envoy_on_request(handle) return handle end"
    )
    (text,) = with_short_names([source], keep=["settings"])
    kept = ("settings", "reason", "other", "ipairs", "print", "envoy_on_request")
    assert all(re.search(rf"\b{name}\b", text) for name in kept)
    assert not re.search(r"\b(refused|because|position|value|handle)\b", text)
    assert len(text) < len(source)


def test_a_name_becomes_the_same_short_name_in_every_source() -> None:
    one, two = with_short_names(["local shared=1", "return shared"], keep=[])
    assert one.removeprefix("local ").partition("=")[0] == two.removeprefix("return ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_strings_of_the_script_are_those_of_its_source(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    made = with_short_names([compact(source)], keep=("json", "settings"))[0]
    without_comments = re.sub(r"--\[==\[.*?\]==\]|--[^\n]*", "", source, flags=re.DOTALL)
    assert strings(made) == strings(without_comments)
