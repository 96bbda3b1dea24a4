"""``python -m tests.engine.echo PACKAGE [engine address]``: started by the engine as a provider plugin."""

import sys

from tests.engine.echo.server import installed_version, serve

serve(sys.argv[1], installed_version(sys.argv[1]))
