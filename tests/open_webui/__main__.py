"""Write the facts of one version: ``python -m tests.open_webui VERSION FOLDER``, FOLDER being its package ``open_webui``."""

import sys
from pathlib import Path

from tests.open_webui.recorded import facts_file, made_from

if __name__ == "__main__":
    version, folder = sys.argv[1:]
    facts_file(version).write_text(made_from(version, Path(folder)), encoding="utf-8")
