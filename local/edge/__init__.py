"""An application load balancer as AWS documents it, driven by a stack's graph.

Not played: HTTP/2 to clients (a browser uses HTTP/1.1 then), stickiness, mutual TLS, gRPC, Lambda targets, AWS's managed
rule groups. AWS does not document the following, and this load balancer assumes it: a callback with a wrong state is
answered with 401; a target that has not passed a health check yet gets no request; the response headers of a listener
are set on the load balancer's own responses too; session cookies are passed on to the target; a client's copies of
``x-amzn-oidc-*`` are replaced where there is a session and pass where there is none; the identity provider has ten
seconds to respond, and gets the client's secret by HTTP Basic.
"""

from __future__ import annotations

from local.edge.load_balancer import LoadBalancer
from local.edge.public_keys import PublicKeys
from local.edge.targets import TargetState

__all__ = ["LoadBalancer", "PublicKeys", "TargetState"]
