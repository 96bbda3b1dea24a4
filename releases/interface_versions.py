"""Print the versions of the interface's image, of one stack's release or of every release, one per line, oldest
first."""

import sys
from pathlib import Path

import yaml

from releases.manifest import load_release, versions

if __name__ == "__main__":
    stacks = sys.argv[1:]
    named = [
        yaml.safe_load(Path(f"Pulumi.{stack}.yaml").read_text())["config"]["ai-interface:release"] for stack in stacks
    ]
    found = dict.fromkeys(load_release(version).images["interface"].version for version in named or versions())
    print("\n".join(found))  # noqa: T201 - this is a program that prints
