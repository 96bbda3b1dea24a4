"""An application load balancer as AWS documents it, driven by a stack's graph."""

from __future__ import annotations

from local.edge.load_balancer import LoadBalancer
from local.edge.targets import State

__all__ = ["LoadBalancer", "State"]
