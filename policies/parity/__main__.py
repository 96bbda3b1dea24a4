"""Starts the pack as Pulumi's engine does. The engine puts this folder on the path; the pack needs the project's."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from policies.parity.server import main

    main()
