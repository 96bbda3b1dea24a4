"""The package's host: the engine starts this folder, whose parent is what ``components`` is imported from."""

import sys
from pathlib import Path

from pulumi.provider.experimental import component_provider_host

# The folder itself is the first entry. Its modules must not be found by bare names such as ``models``.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from components.package import COMPONENTS, NAME, VERSION  # noqa: E402 - found through the line above

if __name__ == "__main__":
    component_provider_host(COMPONENTS, NAME, version=VERSION)
