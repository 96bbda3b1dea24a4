"""The container that keeps the gateway's Envoy running until the answers in progress have ended.

Nothing drains a task of a service without a load balancer, and Envoy ends at SIGTERM, in the middle of its answers. ECS stops
containers in the reverse order of their dependencies
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html, ``dependsOn``), so this one, which
depends on Envoy, gets its SIGTERM first, and Envoy gets its own once this one has ended.

It waits until the callers have looked up the gateway's name again, then until LiteLLM has no open connection: the gateway's Envoy
has one for each answer (``envoy.py``). An answer that takes longer than the stop timeout is cut.
"""

from components.gateway.settings import TRANSLATOR_PORT
from components.service.internal_identity import DNS_SECONDS

NAME = "gateway-drain"
SETTLE_SECONDS = DNS_SECONDS + 5
"""The TTL of the gateway's name, and the interval in which an Envoy asks for it."""
_SPARE_SECONDS = 5
"""It ends by itself before ECS kills it."""
_SCRIPT = """import signal,time
signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGTERM])
signal.sigwait([signal.SIGTERM])
end=time.monotonic()+{most}
def busy():
 with open('/proc/net/tcp') as table:
  return any(line.split()[3]=='01' and line.split()[1].endswith(':{port:04X}') for line in list(table)[1:])
time.sleep({settle})
while busy() and time.monotonic()<end:
 time.sleep(0.2)"""
"""A line of the table has the local address and port in hexadecimal, the remote ones, and the state: 01 is ESTABLISHED
(https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html)."""


def command(stop_seconds: int) -> list[str]:
    """The container's command, in LiteLLM's image. ``stop_seconds``: its stop timeout."""
    most = max(0, stop_seconds - _SPARE_SECONDS)
    script = _SCRIPT.format(most=most, settle=min(SETTLE_SECONDS, most), port=TRANSLATOR_PORT)
    return ["python3", "-I", "-c", script]
