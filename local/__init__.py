"""The request's path on a laptop: the proxy with its real configuration, and stand-ins for the rest."""
