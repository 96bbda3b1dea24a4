"""A plan's rules in nftables syntax: security groups apply where packets enter and leave an interface, network ACLs
where they cross a subnet's boundary. Equal plans produce equal text.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from .addresses import family
from .model import ICMP, ICMPV6, TCP, UDP, AclEntry, GroupRule, Interface, Match, Plan

_NEIGHBOURS = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept"
_EVERYTHING = ("0.0.0.0/0", "::/0")
_V6 = 6
GROUPS = "groups"
"""The table of an interface's security groups."""
REFUSED = ("refused_inward", "refused_outward")
"""Sets of an interface by direction: peer IPv4 address and TCP port of the connections that its security groups
dropped."""
OUTWARD_MARK = 99
"""The mark of connections through an egress-only gateway, which is also the number of the route table for their
responses."""


def of_node(plan: Plan, node: Interface, members: Mapping[str, tuple[Interface, ...]]) -> str:
    """The security groups of an interface: they are stateful, so responses pass regardless of the rules for the other
    direction.

    A packet of another protocol that belongs to a connection (an ICMP error) needs its own rule, as on AWS.
    """
    if not node.guarded:
        return ""
    rules = [rule for group in node.groups for rule in plan.groups.get(group, ())]
    lines = [f"table inet {GROUPS} {{"]
    lines += [f" set {one} {{ type ipv4_addr . inet_service; flags dynamic; size 1024; }}" for one in REFUSED]
    for chain, hook, egress, near in (("inward", "input", False, "iifname"), ("outward", "output", True, "oifname")):
        lines += [f" chain {chain} {{", f"  type filter hook {hook} priority 0; policy drop;"]
        lines += [f'  {near} "lo" accept', "  ct state established accept", f"  {_NEIGHBOURS}"]
        wanted = [rule for rule in rules if rule.egress is egress] if egress or node.accepts else []
        allowed = (line for rule in wanted for line in _group_lines(rule, members))
        lines += [f"  {line}" for line in dict.fromkeys(allowed)]
        other = "ip daddr" if egress else "ip saddr"
        lines += [f"  update @{REFUSED[egress]} {{ {other} . tcp dport }}", " }"]
    return "\n".join([*lines, "}", ""])


def of_subnet(acl: tuple[AclEntry, ...] | None, ways: Iterable[str]) -> str:
    """The network ACL of a subnet: stateless, the first matching entry decides, and it applies only to packets that
    cross the boundary.

    ``ways`` are the interfaces to internet gateways: packets from there need a return route through the same gateway.
    """
    lines = ["table inet acl {"]
    for direction, egress in (("inward", False), ("outward", True)):
        lines.append(f" chain {direction} {{")
        if acl is not None:
            lines += [f"  {line}" for entry in acl if entry.egress is egress for line in _acl_lines(entry)]
            lines.append("  drop")
        lines.append(" }")
    lines += [" chain through {", "  type filter hook forward priority 0; policy accept;"]
    lines += [f'  iifname "{way}" fib saddr . iif oif missing drop' for way in sorted(ways)]
    lines += ['  iifname != "n*" jump inward', '  oifname != "n*" jump outward', " }", "}", ""]
    return "\n".join(lines)


def of_gateway(public: Mapping[str, str], outward: Iterable[str]) -> str:
    """An internet gateway: it translates public addresses one to one, and forwards no other IPv4 packets.

    ``public``: each interface's private address and its public one; ``outward``: the links of egress-only gateways,
    which admit no new connections.
    """
    lines = ["table inet gateway {"]
    if outward := sorted(outward):
        lines += [" chain marking {", "  type filter hook prerouting priority -150; policy accept;"]
        lines += [f'  iifname "{link}" ct mark set {OUTWARD_MARK}' for link in outward]
        lines += ['  iifname "net" meta mark set ct mark', " }"]
    lines += [" chain through {", "  type filter hook forward priority 0; policy accept;"]
    lines += [f'  oifname "{link}" ct state != established drop' for link in outward]
    if public:
        named = ", ".join(sorted(public))
        lines.append(f'  oifname "net" ip saddr != {{ {named} }} drop')
    else:
        lines.append('  oifname "net" meta nfproto ipv4 drop')
    lines += [" }", "}"]
    if public:
        inward = ", ".join(f"{address} : {own}" for own, address in sorted(public.items()))
        back = ", ".join(f"{own} : {address}" for own, address in sorted(public.items()))
        lines += ["table ip translation {", " chain arriving {", "  type nat hook prerouting priority -100;"]
        lines += [f"  dnat to ip daddr map {{ {inward} }}", " }", " chain leaving {"]
        lines += ["  type nat hook postrouting priority 100;", f"  snat to ip saddr map {{ {back} }}", " }", "}"]
    return "\n".join([*lines, ""])


def of_nat() -> str:
    """A NAT gateway: connections leave with its address, and only their responses return."""
    return "\n".join(
        [
            "table ip translation {",
            " chain leaving {",
            "  type nat hook postrouting priority 100;",
            '  oifname "eth0" masquerade',
            " }",
            "}",
            "",
        ]
    )


def _group_lines(rule: GroupRule, members: Mapping[str, tuple[Interface, ...]]) -> Iterator[str]:
    addresses = [address for group in rule.groups for node in members.get(group, ()) for address in node.addresses]
    field = "daddr" if rule.egress else "saddr"
    for version in (4, 6):
        blocks = _collapsed(block for block in (*rule.blocks, *addresses) if family(block) == version)
        for what in _what(rule.match, version) if blocks else ():
            yield " ".join(part for part in (_where(blocks, version, field), what, "accept") if part)


def _acl_lines(entry: AclEntry) -> Iterator[str]:
    version = family(entry.block)
    field = "daddr" if entry.egress else "saddr"
    for what in _what(entry.match, version):
        where = _where(_collapsed([entry.block]), version, field)
        yield " ".join(part for part in (where, what, "return" if entry.allow else "drop") if part)


def _collapsed(blocks: Iterable[str]) -> list[str]:
    """Merge the blocks of one family: nftables refuses overlapping ones in a set."""
    networks = [ipaddress.ip_network(block, strict=False) for block in blocks]
    v4 = [network for network in networks if isinstance(network, ipaddress.IPv4Network)]
    v6 = [network for network in networks if isinstance(network, ipaddress.IPv6Network)]
    return [*map(str, ipaddress.collapse_addresses(v4)), *map(str, ipaddress.collapse_addresses(v6))]


def _where(blocks: list[str], version: int, field: str) -> str:
    if any(block in _EVERYTHING for block in blocks):
        return f"meta nfproto ipv{version}"
    listed = blocks[0] if len(blocks) == 1 else f"{{ {', '.join(blocks)} }}"
    return f"{'ip6' if version == _V6 else 'ip'} {field} {listed}"


def _what(match: Match, version: int) -> Iterator[str]:
    """The match of a rule in one address family; ICMP is a different protocol in each."""
    if match.protocol in (ICMP, ICMPV6):
        if (match.protocol == ICMPV6) is (version == _V6):
            kind, code = match.icmp
            parts = [f"{match.protocol} type {kind}"] if kind >= 0 else [f"meta l4proto {_l4(match.protocol)}"]
            yield " ".join([*parts, *([f"{match.protocol} code {code}"] if kind >= 0 and code >= 0 else [])])
    elif match.protocol in (TCP, UDP) and match.ports is not None and match.ports != (0, 65535):
        low, high = match.ports
        yield f"{match.protocol} dport {low}" if low == high else f"{match.protocol} dport {low}-{high}"
    else:
        yield "" if match.protocol == "-1" else f"meta l4proto {_l4(match.protocol)}"


def _l4(protocol: str) -> str:
    return "ipv6-icmp" if protocol == ICMPV6 else protocol
