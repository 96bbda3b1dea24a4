"""A settings line inside a long text is compared entry by entry."""

from __future__ import annotations

from policies.parity.text import parts_of

TABLE = 'local settings = {["issuer"]="https://login.example.com",["allowed"]={["values"]={"a,b","}"},["n"]=1},["header"]="x-user"}'


def test_a_short_text_is_one_part() -> None:
    assert parts_of("one line") == {"": "one line"}


def test_each_entry_of_a_table_is_a_part_with_nested_values_whole() -> None:
    parts = parts_of(f"-- code\n{TABLE}\nreturn 1")
    assert parts == {
        "": "-- code\n…\nreturn 1",
        '["issuer"]': '"https://login.example.com"',
        '["allowed"]': '{["values"]={"a,b","}"},["n"]=1}',
        '["header"]': '"x-user"',
    }
