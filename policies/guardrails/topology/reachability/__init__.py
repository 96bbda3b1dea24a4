"""The resources that are reachable from the internet, their dependencies, and the resource types that are not
modelled."""
