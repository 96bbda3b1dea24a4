"""External providers through both proxies: the real Envoys with stand-ins for providers, on loopback."""
