"""One manifest a release: see ``manifest.py``."""
