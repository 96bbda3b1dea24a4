"""A fake provider plugin for ``aws`` and ``tls``: it checks and stores resources, refuses what AWS refuses, and creates nothing."""
