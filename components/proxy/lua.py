"""Makes Lua code smaller without changing what it does: a task definition is limited to 64 KiB, and the identity script is the
largest text in it.

Comments and unneeded white space go, and local names become one or two letters. The files in ``files/`` are what people read.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator

_TOKEN = re.compile(r"""--\[==\[.*?\]==\]|--[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|-|[^-"']+""", re.DOTALL)
"""Comments, strings, and the code between them."""
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[A-Za-z0-9_]")
"""A part of a word. A string needs no space around it."""
_NAME = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z_][A-Za-z0-9_]*")
_FIELD = re.compile(r"(?<!\.)[.:]\s*([A-Za-z_][A-Za-z0-9_]*)")
_DECLARED = (
    re.compile(r"\blocal\s+function\s+(\w+)"),
    re.compile(r"\blocal\s+(?!function\b)([\w\s,]+?)(?=\s*(?:=|\n|;|$))"),
    re.compile(r"\bfunction\b[\w\s.:]*\(([^)]*)\)"),
    re.compile(r"\bfor\s+([\w\s,]+?)\s*(?:=|\bin\b)"),
)
_KEYWORDS = frozenset(
    [
        "and",
        "break",
        "do",
        "else",
        "elseif",
        "end",
        "false",
        "for",
        "function",
        "goto",
        "if",
        "in",
        "local",
        "nil",
        "not",
        "or",
        "repeat",
        "return",
        "then",
        "true",
        "until",
        "while",
    ]
)
_GLOBALS = frozenset(
    [
        "bit",
        "collectgarbage",
        "error",
        "ffi",
        "getmetatable",
        "ipairs",
        "math",
        "os",
        "pairs",
        "pcall",
        "require",
        "select",
        "self",
        "setmetatable",
        "string",
        "table",
        "tonumber",
        "tostring",
        "type",
    ]
)


def compact(source: str) -> str:
    """The code without comments and unneeded white space, on one line. Raises ``ValueError`` if a line begins with a parenthesis,
    because Lua would then take it for a call of what the line before ends with, or if two minus signs would become a comment."""
    # A comment separates words like a line end.
    tokens = ["\n" if token.startswith("--") else token for token in _TOKEN.findall(source)]
    parts = [
        part
        for is_string, group in itertools.groupby(tokens, key=lambda token: token[0] in "\"'")
        for part in (group if is_string else ["".join(group)])
    ]
    code = [part for part in parts if part[0] not in "\"'"]
    if any(re.search(r"\n\s*\(|-\s+-", part) for part in code):
        raise ValueError(
            "Lua code on one line changes its meaning where a line begins with ( or a space is between two minus signs: write the "
            "parenthesis at the end of the line before, or parentheses around the second operand"
        )
    return "".join(_quoted(part) if part[0] in "\"'" else _SPACE.sub(_needed, part) for part in parts).strip()


def _quoted(text: str) -> str:
    """A string in single quotes, which need no escape in YAML and JSON, if it has neither kind of quote in it."""
    inner = text[1:-1]
    return text if "'" in inner or '"' in inner else f"'{inner}'"


def with_short_names(sources: Iterable[str], keep: Iterable[str]) -> list[str]:
    """The sources with short names for their local variables, the same in each.

    A name that is also a field, a global or in ``keep`` stays. Every other occurrence of a name gets the same new name, which no
    other name has, so that each still refers to the variable to which it referred.
    """
    texts = list(sources)
    codes = ["".join(code for code, is_code in _parts(text) if is_code) for text in texts]
    used = Counter(name for code in codes for name in _NAME.findall(code))
    fields = {name for code in codes for name in _FIELD.findall(code)}
    declared = {name for code in codes for name in _declared(code)}
    renamed = declared - fields - _KEYWORDS - _GLOBALS - set(keep)
    free = (name for name in _short() if name not in _KEYWORDS and name not in set(used) - renamed)
    by_use = sorted(renamed, key=lambda name: (-used[name] * len(name), name))
    names = dict(zip(by_use, free, strict=False))
    return ["".join(_renamed(part, names) if is_code else part for part, is_code in _parts(text)) for text in texts]


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The tokens of a text, each with whether it is code: neither a string nor a comment."""
    for token in _TOKEN.findall(text):
        yield token, token[0] not in "\"'" and not token.startswith("--")


def _declared(code: str) -> Iterator[str]:
    for pattern in _DECLARED:
        for match in pattern.finditer(code):
            yield from _NAME.findall(match[1])


def _renamed(code: str, names: dict[str, str]) -> str:
    return _NAME.sub(lambda match: names.get(match[0], match[0]), code)


def _short() -> Iterator[str]:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for length in (1, 2):
        yield from ("".join(name) for name in itertools.product(letters, repeat=length))


def _needed(space: re.Match[str]) -> str:
    """Keep one space between two words. Next to an operator no space is needed."""
    before, after = space.string[: space.start()][-1:], space.string[space.end() :][:1]
    return " " if _WORD.match(before) and _WORD.match(after) else ""
