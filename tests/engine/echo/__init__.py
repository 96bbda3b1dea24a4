"""A provider plugin that stands in for ``aws`` and ``tls``: it checks, remembers and refuses, and creates nothing."""
