"""Public names that a package loads when they are first used."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def loader(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """Returns the ``__getattr__`` of a package, from a mapping of public name to module.

    Importing one component does not import the others, and packages that need each other's constants do not create an
    import cycle.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{module_of[name]}"), name)

    return load
