"""The resources that a web ACL protects."""

from __future__ import annotations

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown
from ..network.paths import MISSED, PASSED, Pass

_ASSOCIATIONS = ("wafv2.WebAclAssociation", "wafregional.WebAclAssociation")
_ACLS = ("wafv2.WebAcl", "wafregional.WebAcl", "waf.WebAcl")
PROTECTED = (
    "lb.LoadBalancer",
    "apigateway.Stage",
    "apigateway.RestApi",
    "appsync.GraphQLApi",
    "cognito.UserPool",
    "apprunner.Service",
    "amplify.App",
)


class WebAclAssociations:
    """Web ACLs and the resources that they are associated with."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._acls: dict[str, list[tuple[Resource, Resource | None]]] = {}
        self._unclear: list[str] = []
        self._separate_rules = self._rules_by_acl()
        for association in graph.of_type(*_ASSOCIATIONS):
            protected = graph.referenced(association, "resourceArn", types=PROTECTED)
            if protected.unknowns or protected.ambiguous:
                self._unclear.append(f"{association.label}.resourceArn")
            if protected.ambiguous:
                continue
            acls = (
                graph.referenced(association, "webAclArn", types=_ACLS).resources
                or graph.referenced(association, "webAclId", types=_ACLS).resources
            )
            for resource in protected:
                self._acls.setdefault(resource.urn, []).append((association, acls[0] if acls else None))

    def acl_of(self, resource: Resource) -> Resource | None:
        """The web ACL of a resource, if it is in this stack."""
        return next((acl for _, acl in self._acls.get(resource.urn, ()) if acl is not None), None)

    def association_of(self, resource: Resource) -> Resource | None:
        """The property or resource that associates a web ACL with a resource."""
        return next((association for association, _ in self._acls.get(resource.urn, ())), None)

    def passed(self, resource: Resource) -> Pass:
        """Whether traffic to a resource passes a web ACL that can block requests."""
        found = self._acls.get(resource.urn, ())
        if not found:
            return Pass(None, tuple(self._unclear)) if self._unclear else MISSED
        for association, acl in found:
            if acl is None:
                return Pass(None, (f"{association.label}: the rules of a web ACL that is not in this stack",))
        return self.blocks(found[0][1])

    def named(self, resource: Resource, path: str) -> Pass:
        """Whether a property of the resource itself refers to a web ACL, as for a distribution."""
        if resource.value(path) in (None, ""):
            return MISSED
        acls = self.graph.referenced(resource, path, types=_ACLS)
        if not acls.resources:
            return Pass(None, (f"{resource.label}.{path}",))
        return self.blocks(acls.resources[0])

    def blocks(self, acl: Resource | None) -> Pass:
        """Whether a web ACL can block anything: it has a rule, or blocks by default."""
        if acl is None:
            return MISSED
        rules = acl.items("rules")
        if isinstance(rules, Unknown):
            return Pass(None, (f"{acl.label}.rules",))
        blocking = acl.value("defaultAction.block") is not None or acl.value("defaultAction.type") == "BLOCK"
        if (
            blocking
            or self._separate_rules.get(acl.urn)
            or any(_can_block(acl, index) for index, _ in enumerate(rules))
        ):
            return PASSED
        return MISSED

    def _rules_by_acl(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for rule in self.graph.of_type("wafv2.WebAclRule", "wafv2.WebAclRuleGroupAssociation"):
            for acl in self.graph.referenced(rule, "webAclArn", types=_ACLS):
                found.setdefault(acl.urn, []).append(rule)
        return found


def _can_block(acl: Resource, index: int) -> bool:
    """Whether one rule does more than count."""
    prefix = f"rules[{index}]"
    action = acl.value(f"{prefix}.action")
    override = acl.value(f"{prefix}.overrideAction")
    if isinstance(action, dict):
        return any(
            acl.value(f"{prefix}.action.{name}") is not None for name in ("block", "captcha", "challenge", "type")
        )
    if isinstance(override, dict):
        return acl.value(f"{prefix}.overrideAction.count") is None
    return True
