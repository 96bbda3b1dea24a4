"""A stack's network on one Linux machine, which really drops the packets that the graph forbids.

``Plan.from_graph`` reads subnets, routes, security groups and network ACLs from a recorded graph; ``running`` creates a
network namespace for each network interface and loads the rules as nftables rules. The translation shares no code with
the topology's evaluation, so that the two can be compared.
"""

from .kernel import available
from .model import Interface, Plan
from .namespaces import Network, running
from .plan import plan_network

__all__ = ["Interface", "Network", "Plan", "available", "plan_network", "running"]
