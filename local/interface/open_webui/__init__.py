"""A stand-in for Open WebUI 0.10 and 0.11: the same command, variables, paths, tables, headers and cookies, without its
pages, its models and its many settings.

What it reads and how it fails without it follows the application's ``env.py``, ``config.py``, ``routers/auths.py`` and
``socket/main.py``: a variable that is missing has the application's default, which on a read-only root file system, or
with two tasks, usually does not work.
"""
