"""The offline engine and its command line: see ``python -m preflight --help``."""
