"""Resources that are reachable from the internet, their dependencies, and resource types that are not modelled."""
