"""A stand-in for Open WebUI's image: the package ``open_webui``, assembled for each release."""
