"""A stand-in for Open WebUI 0.10 and 0.11: the same command, variables, paths, tables, headers and cookies, without its
pages, its models and its many settings.

The variables that it reads, and its failures without them, follow the application's ``env.py``, ``config.py``,
``routers/auths.py`` and ``socket/main.py``: a missing variable has the application's default, which usually does not
work on a read-only root file system or with two tasks.
"""

import gc

# Everything that is imported lives until the end: to look through it for garbage takes an eighth of the start.
gc.set_threshold(20_000, 10, 10)
