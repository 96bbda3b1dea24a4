"""The proxy, tested with real Envoy in front of small real servers on loopback."""
