"""The network of a stack on one Linux machine: what its graph forbids is really dropped.

``Plan.from_graph`` reads subnets, routes, security groups and network ACLs from a recorded graph; ``running`` makes each
network interface a network namespace and loads them as nftables rules. The translation uses nothing of the topology's
evaluation, so that the two can be compared.
"""

from .kernel import available
from .model import Interface, Plan
from .namespaces import Network, running
from .plan import plan_network

__all__ = ["Interface", "Network", "Plan", "available", "plan_network", "running"]
