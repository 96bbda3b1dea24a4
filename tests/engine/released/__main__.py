"""Write what this checkout offers and creates, as the state of the last release."""

from tests.engine.package_schema import PINNED
from tests.engine.released import write

if __name__ == "__main__":
    write(PINNED.read_text())
