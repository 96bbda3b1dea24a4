"""The code that runs in the task before the application, delivered as text in the container's command.

The other modules of this package are packed into one command, because the third-party image must not be rebuilt.
``python -m components.prepare`` prints the code that a task receives. The modules use Python's standard library, and
``psycopg`` if the plan has a database, so they run in any image that has ``python3``.
"""

import ast
import base64
import bz2
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

VOLUMES = ("report", "volumes", "main")
DATABASE = ("report", "volumes", "schema", "names", "roles", "image", "database", "main")
"""Modules in the order in which they are loaded: each imports only earlier ones."""


def sources(modules: Sequence[str]) -> dict[str, str]:
    """Module → its code in the task."""
    return {
        f"components.prepare.{name}": compact(Path(__file__).with_name(f"{name}.py").read_text("utf-8"))
        for name in modules
    }


@functools.cache
def without_comments(text: str) -> str:
    """The code without docstrings, comment lines and empty lines, which makes it a third smaller."""
    tree, docstrings, strings = ast.parse(text), set[int](), set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
        for one in _docstrings(node):
            docstrings.update(range(one.lineno, (one.end_lineno or one.lineno) + 1))
    return "\n".join(
        line
        for number, line in enumerate(text.splitlines(), 1)
        if number not in docstrings and (number in strings or (line.strip() and not line.lstrip().startswith("#")))
    )


def _docstrings(node: ast.AST) -> list[ast.stmt]:
    """The statements of a body that are only a constant, without the last one if nothing else would be left."""
    body = node.body if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) else []
    found: list[ast.stmt] = [one for one in body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)]
    return found if len(found) < len(body) else found[:-1]


@functools.cache
def compact(text: str) -> str:
    """The code also without the annotations of functions, for code that is only run: a tenth smaller when it is packed."""
    tree = ast.parse(text)  # the comments are not in the tree
    for node in ast.walk(tree):
        if docstrings := _docstrings(node):
            body = cast("ast.Module", node).body
            body[:] = [one for one in body if one not in docstrings]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            arguments = node.args
            for one in (
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                arguments.vararg,
                arguments.kwarg,
            ):
                if one is not None:
                    one.annotation = None
    return ast.unparse(tree)


@functools.cache
def packed_module(text: str) -> str:
    """A module's code as a module that decompresses itself. It is worth it from about 1.5 KB."""
    packed_text = base64.b85encode(bz2.compress(compact(text).encode())).decode()
    return f"import base64,bz2\nexec(bz2.decompress(base64.b85decode('{packed_text}')))"


_LOADER = """import base64,bz2,json,sys,types
for p in {packages}:sys.modules[p]=types.ModuleType(p);sys.modules[p].__path__=[]
for n,t in json.loads(bz2.decompress(base64.b85decode("{packed}"))).items():
 m=types.ModuleType(n);sys.modules[n]=m;exec(compile(t,n,"exec"),m.__dict__)
sys.exit(m.main())"""


def packed(modules: Mapping[str, str]) -> str:
    """The command's text that loads these modules and runs the last one's ``main``."""
    # bz2 has one implementation, so every machine produces the same bytes. zlib has several, so the task definition
    # would differ between machines.
    text = json.dumps(modules, separators=(",", ":"))
    packages = sorted({"components", *(name.rpartition(".")[0] for name in modules)})
    return _LOADER.format(
        packages=json.dumps(packages, separators=(",", ":")),
        packed=base64.b85encode(bz2.compress(text.encode())).decode(),
    )


SCRIPT = packed(sources(VOLUMES))
"""The command's text for an application without a database."""
DATABASE_SCRIPT = packed(sources(DATABASE))
"""The command's text for an application with a database. It is compressed, because a task definition has at most 64 KiB."""

PLAN_VARIABLE = "PREPARE_PLAN"
"""The environment variable from which the script reads its plan, as JSON."""
