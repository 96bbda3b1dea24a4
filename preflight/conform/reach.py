"""Every call of a task resolves, connects and is allowed by IAM, in the region of its stack.

A task can reach only the destinations that the stack declares. A client that uses another name, or another region's,
fails at the first upload, not at the deployment. The names are those that the real clients resolve, such as boto3's S3
client with the variables of its container; the allowed names are read from the same graph. Names that a user enters in
the application and permissions boundaries are not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies.guardrails.topology.graph.resources import Graph, Resource
from preflight.conform.iam import unread
from preflight.conform.reaching import names
from preflight.conform.reaching.calls import calls, containers
from preflight.conform.reaching.connections import Connections
from preflight.conform.reaching.model import TASK_DEFINITION, ClientCall
from preflight.conform.reaching.permissions import refusal
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import Recording

RULE = "conform-reach"
_DNS = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-actions.html"
_ENDPOINTS = "https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html"
_POLICIES = "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html"


def findings(recording: Recording) -> list[Finding]:
    """The causes that block calls of the stack's tasks, sorted; none for a stack without tasks."""
    policies = unread.of_types(recording, unread.BUCKET, unread.ENDPOINT, unread.POLICY, unread.ROLE_POLICY)
    if unknown := unread.findings(recording, RULE, policies):
        return unknown
    graph = Graph.from_recorded(recording.resources)
    found = [
        one for task in graph.of_type(TASK_DEFINITION) for one in _Evaluation(recording.stack, graph, task).findings()
    ]
    return sorted(found, key=lambda one: (one.urn, one.headline, one.found))


@dataclass(frozen=True)
class _Problem:
    """The reason why a call fails; equal for all calls that fail for the same reason."""

    headline: str
    found: str
    wanted: str
    fix: str


@dataclass(frozen=True)
class _Evaluation:
    stack: str
    graph: Graph
    task: Resource

    def findings(self) -> Iterator[Finding]:
        if containers(self.task) is None:
            yield self._finding(
                "containerDefinitions: the task's calls are unknown",
                found="container definitions that are unknown before the deployment",
                wanted="known container definitions",
                fix="record the stack with known values",
                verdict=Verdict.NOT_PROVEN,
            )
            return
        rules, connections = names.rules(self.graph), Connections(self.graph, self.task)
        whats: dict[_Problem, list[str]] = {}
        for call in calls(self.graph, self.task):
            for problem in self._of(call, rules, connections):
                whats.setdefault(problem, []).append(call.what)
        for problem, what in whats.items():
            yield self._finding(
                problem.headline,
                found=f"{problem.found}, for {', '.join(sorted(set(what)))}",
                wanted=problem.wanted,
                fix=problem.fix,
            )

    def _of(self, call: ClientCall, asked: list[names.DnsFirewallRule], connections: Connections) -> Iterator[_Problem]:
        place = f"containerDefinitions[{call.container}].{call.property}"
        rule = names.deciding(asked, call.host)
        if rule is not None and rule.action == "BLOCK":
            yield _Problem(
                f"{place}: the client resolves a name that the DNS Firewall blocks",
                f"{call.host}, which {rule.resource.label} answers with {rule.response or 'nothing'}",
                "a name that the DNS Firewall's list allows",
                "configure the client for the regional name (in us-east-1 AWS_S3_US_EAST_1_REGIONAL_ENDPOINT=regional), or "
                f"declare the destination ({_DNS})",
            )
            return
        target = names.leads_to(self.graph, call.host)
        if call.internet and target is None:
            if gap := connections.internet_gap(call.port):
                yield _Problem(
                    f"{place}: the task cannot connect to the host that it calls",
                    f"{call.host}:{call.port}: {gap}",
                    f"connectivity from the task to port {call.port} of the internet, with return traffic",
                    "allow it in the task's security group and network ACL, and route it to a NAT gateway",
                )
            return
        if target is None:
            if not self._is_elsewhere(call, connections):
                yield _Problem(
                    f"{place}: the client calls a host that does not exist in the network",
                    f"{call.host}, which is not an endpoint, gateway or data store of this stack",
                    "an endpoint with private DNS for the service in that region, or the stack's own store",
                    f"configure the client for the stack's region, or add the endpoint ({_ENDPOINTS})",
                )
            return
        if gap := connections.gap(target, call.port):
            yield _Problem(
                f"{place}: the task cannot connect to the host that it calls",
                f"{call.host}:{call.port}: {gap}",
                f"connectivity from the task to port {call.port} of {target.label}, with return traffic",
                f"allow it in the security groups and network ACLs of both sides ({_ENDPOINTS})",
            )
        endpoint = target if target.kind == "ec2.VpcEndpoint" else None
        if refused := refusal(self.graph, self.task, call, endpoint):
            yield _Problem(
                f"{place}: a policy denies the client's request",
                f"{call.host}: {refused}",
                "an Allow in the role's policies and in the endpoint's, and no Deny",
                f"allow this action on this resource there ({_POLICIES})",
            )

    def _is_elsewhere(self, call: ClientCall, connections: Connections) -> bool:
        """Whether it may be another stack's server: it is not AWS's, and a group allows the task's egress to its port."""
        return not names.plain(call.host).endswith("amazonaws.com") and connections.leaves(call.port)

    def _finding(
        self, headline: str, *, found: str, wanted: str, fix: str, verdict: Verdict = Verdict.VIOLATED
    ) -> Finding:
        source, _, line = self.task.source.rpartition(":")
        return Finding(
            environment=self.stack,
            rule=RULE,
            verdict=verdict,
            headline=f"{self.task.label}.{headline}",
            urn=self.task.urn,
            found=found,
            wanted=wanted,
            fix=fix,
            pack="conform",
            source_file=source,
            source_line=int(line) if line.isdigit() else 0,
        )
