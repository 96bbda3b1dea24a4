"""An application load balancer as AWS documents it, configured from a stack's graph.

Not implemented: HTTP/2 to clients (browsers then use HTTP/1.1), stickiness, mutual TLS, gRPC, Lambda targets, AWS's
managed rule groups. Where AWS documents nothing, this load balancer assumes: a callback with a wrong state gets a 401;
a target that has not yet passed a health check gets no request; a listener's response headers are also set on the load
balancer's own responses; session cookies are forwarded to the target; a client's copies of ``x-amzn-oidc-*`` are
replaced if there is a session and forwarded otherwise; the identity provider has ten seconds to respond, and gets the
client secret by HTTP Basic.
"""

from __future__ import annotations

from local.edge.load_balancer import LoadBalancer
from local.edge.public_keys import PublicKeys
from local.edge.targets import TargetState

__all__ = ["LoadBalancer", "PublicKeys", "TargetState"]
