"""The real Open WebUI on the twin, used with a real browser (``make test-browser``)."""
