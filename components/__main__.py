"""Entry point of the component package: the engine runs this folder, and ``components`` is imported from its parent
folder."""

import sys
from pathlib import Path

from pulumi.provider import main

# The folder itself is the first entry. Its modules must not be importable by bare names such as ``models``.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from components.host.provider import PackageProvider  # noqa: E402 - found through the line above
from components.package import COMPONENTS, NAME, VERSION  # noqa: E402

if __name__ == "__main__":
    main(PackageProvider(COMPONENTS, NAME, VERSION), sys.argv[1:])
