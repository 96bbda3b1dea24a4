"""The routes of Open WebUI that take a body, and whether a body can hold text, read from its source without running it.

Careful where it is unsure: a body counts as fixed only when each of its fields is a number, a switch or one of listed
words. Whatever cannot be followed (a class of another module, a mapping, the request itself) counts as text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

METHODS = ("patch", "post", "put")
_FIXED = {"bool", "float", "int", "None", "Optional", "Literal", "Union"}
_NOT_BODY = {"BackgroundTasks", "Response", "Session", "AsyncSession", "bool", "float", "int", "str", "UserModel"}
TEXT, FIXED, FILE, RAW, NONE = "text", "fixed", "file", "raw", "none"


@dataclass(frozen=True, order=True)
class Route:
    """One operation: ``body`` is text, fixed, file, raw (the request itself is read) or none."""

    path: str
    method: str
    body: str

    @property
    def holds_text(self) -> bool:
        """Whether what people wrote may be in its body."""
        return self.body in (TEXT, FILE, RAW)


def routes(package: Path) -> list[Route]:
    """Every route of the application with a method that carries a body, sorted and distinct."""
    main = ast.parse((package / "main.py").read_text(encoding="utf-8"))
    found = set(_of(main, "app", ""))
    for module, prefix in _included(main):
        for file in _files(package / "routers" / module):
            found.update(_of(ast.parse(file.read_text(encoding="utf-8")), "router", prefix))
    return sorted(found)


def text_queries(package: Path) -> list[tuple[str, str]]:
    """Path and name of every query argument in which a browser sends text that people wrote, sorted."""
    main = ast.parse((package / "main.py").read_text(encoding="utf-8"))
    found: set[tuple[str, str]] = set()
    for module, prefix in _included(main):
        for file in _files(package / "routers" / module):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                    for path in _got(node):
                        names = [argument.arg for argument in node.args.args if f"{{{argument.arg}" not in path]
                        found |= {(f"{prefix}{path}", name) for name in names if name in _WORDS}
    return sorted(found)


_WORDS = frozenset({"filename", "q", "query", "search", "tag", "text"})
"""Names of query arguments whose values people type."""


def _got(function: ast.AsyncFunctionDef | ast.FunctionDef) -> Iterator[str]:
    for call in function.decorator_list:
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "router.get" and call.args:
            yield str(ast.literal_eval(call.args[0]))


def _files(module: Path) -> list[Path]:
    """The source files of one router, which is a module or a package."""
    return sorted(module.rglob("*.py")) if module.is_dir() else [module.with_suffix(".py")]


def _included(main: ast.Module) -> Iterator[tuple[str, str]]:
    """Each router's module and the prefix under which the application includes it."""
    for node in ast.walk(main):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "app.include_router":
            router = ast.unparse(node.args[0])
            prefix = next((k.value for k in node.keywords if k.arg == "prefix"), None)
            if isinstance(prefix, ast.Constant) and router.endswith(".router"):
                yield router.removesuffix(".router"), str(prefix.value)


def _of(module: ast.Module, owner: str, prefix: str) -> Iterator[Route]:
    classes = {node.name: node for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(module):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            for call in node.decorator_list:
                yield from _decorated(call, node, owner, prefix, classes)


def _decorated(
    call: ast.expr,
    function: ast.AsyncFunctionDef | ast.FunctionDef,
    owner: str,
    prefix: str,
    classes: dict[str, ast.ClassDef],
) -> Iterator[Route]:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
        return
    if ast.unparse(call.func.value) != owner or not isinstance(call.args[0], ast.Constant):
        return
    path = f"{prefix}{call.args[0].value}"
    listed = next((k.value for k in call.keywords if k.arg == "methods"), None)
    if isinstance(listed, ast.List):
        named = [str(ast.literal_eval(item)).lower() for item in listed.elts]
    else:  # Methods that are listed elsewhere may be any.
        named = [call.func.attr] if listed is None else list(METHODS)
    for method in named:
        if method in METHODS:
            yield Route(path, method.upper(), _body(function, path, classes))


def _body(function: ast.AsyncFunctionDef | ast.FunctionDef, path: str, classes: dict[str, ast.ClassDef]) -> str:
    arguments = function.args
    defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    kinds: set[str] = set()
    for argument, default in [*zip(arguments.args, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]:  # fmt: skip
        given = ast.unparse(default) if default is not None else ""
        noted = ast.unparse(argument.annotation) if argument.annotation is not None else ""
        if f"{{{argument.arg}" in path or "Depends(" in given or given.startswith(("Query(", "Header(", "Cookie(")):
            continue
        kinds.add(_kind(noted, given, argument.arg, function, classes))
    return next((kind for kind in (RAW, FILE, TEXT, FIXED) if kind in kinds), NONE)


def _kind(
    noted: str,
    given: str,
    name: str,
    function: ast.AsyncFunctionDef | ast.FunctionDef,
    classes: dict[str, ast.ClassDef],
) -> str:
    if noted == "Request":
        source = ast.unparse(function)
        return RAW if any(f"{name}.{part}(" in source for part in ("json", "body", "form", "stream")) else NONE
    if "UploadFile" in noted or given.startswith("File("):
        return FILE
    tree = ast.parse(noted or "None", mode="eval")
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not given.startswith(("Body(", "Form(")) and names <= (_NOT_BODY | _FIXED):
        return NONE  # A plain value is a query argument.
    return FIXED if noted and _is_fixed(noted, classes, frozenset()) else TEXT


def _is_fixed(noted: str, classes: dict[str, ast.ClassDef], seen: frozenset[str]) -> bool:
    """Whether values of this annotation hold no text of anybody's."""
    tree = ast.parse(noted, mode="eval")
    if any(isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal" for node in ast.walk(tree)):
        names = set[str]()
    else:
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return all(n in _FIXED or (n in classes and n not in seen and _class_is_fixed(classes[n], classes, seen | {n})) for n in names)  # fmt: skip


def _class_is_fixed(made: ast.ClassDef, classes: dict[str, ast.ClassDef], seen: frozenset[str]) -> bool:
    fields = [node for node in made.body if isinstance(node, ast.AnnAssign)]
    open_to_more = "extra='allow'" in ast.unparse(made)
    bases = [ast.unparse(base) for base in made.bases]
    known = all(base == "BaseModel" or (base in classes and _is_fixed(base, classes, seen)) for base in bases)
    return known and not open_to_more and all(_is_fixed(ast.unparse(f.annotation), classes, seen) for f in fields)
