"""Adds an environment: a copy of another one's stack files with the copy's own names and network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from preflight.errors import ConfigurationError
from preflight.setup import commented_yaml
from preflight.setup.generated import DIFFERENCES
from settings.stack import PREFIX

_WORKFLOWS = ".github/workflows/"
DRIFT = f"{_WORKFLOWS}drift.yml"
"""The nightly comparison of every environment with its deployment."""


def stack_file(name: str, like: str, text: str, others: Mapping[str, str]) -> str:
    """The stack file of the environment ``name``, copied from that of ``like``. ``others`` holds every stack file's text."""
    content = commented_yaml.read(_renamed(text, like, name))
    config = content["config"]
    network: Any = config.get(f"{PREFIX}network", {})
    if "cidrBlock" in network:
        network["cidrBlock"] = str(free_block(str(network["cidrBlock"]), map(_block, others.values())))
    return commented_yaml.written(content)


def bootstrap_file(name: str, like: str, text: str) -> str:
    """The bootstrap stack of the new environment's account."""
    return _renamed(text, like, name)


def _renamed(text: str, like: str, name: str) -> str:
    """The other environment's name in host names, client ids and secrets becomes this one's; in capitals too."""
    whole = re.compile(rf"(?<![A-Za-z0-9]){re.escape(like)}(?![A-Za-z0-9])", re.IGNORECASE)
    return whole.sub(
        lambda match: name.upper() if match[0].isupper() else name.title() if match[0][0].isupper() else name, text
    )


def _block(text: str) -> str | None:
    network: Any = commented_yaml.read(text)["config"].get(f"{PREFIX}network", {})
    return str(network["cidrBlock"]) if "cidrBlock" in network else None


def free_block(like: str, used: Iterable[str | None]) -> ipaddress.IPv4Network:
    """The next block of the same size that overlaps with none of ``used``. Raises ``ConfigurationError`` if there is none."""
    taken = [ipaddress.IPv4Network(block) for block in used if block]
    first = ipaddress.IPv4Network(like)
    (private,) = [
        block
        for block in map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
        if first.subnet_of(block)
    ] or [first]
    candidates = [block for block in private.subnets(new_prefix=first.prefixlen) if block > first]
    for block in candidates:
        if not any(block.overlaps(other) for other in taken):
            return block
    raise ConfigurationError(
        f"no block of the size of {like} is free in {private}: write network.cidrBlock into the file"
    )


def with_environment(text: str, name: str, like: str) -> str:
    """``differences.yaml`` with the environment before ``like``, so that a release passes it first."""
    found = re.search(r"^environments: \[(?P<names>[^\]]*)\]", text, flags=re.MULTILINE)
    if found is None:
        raise ConfigurationError("policies/parity/differences.yaml has no list of environments on one line")
    names = [one.strip() for one in found["names"].split(",") if one.strip()]
    position = names.index(like) if like in names else 0
    listed = ", ".join([*names[:position], name, *names[position:]])
    return f"{text[: found.start()]}environments: [{listed}]{text[found.end() :]}"


def added(name: str, like: str, before: Mapping[str, str]) -> dict[str, str]:
    """File → content for the new environment. Raises ``ConfigurationError`` if the name is taken or ``like`` does not exist."""
    own, source = f"Pulumi.{name}.yaml", f"Pulumi.{like}.yaml"
    if source not in before:
        raise ConfigurationError(f"there is no stack file {source} to copy")
    if own in before:
        raise ConfigurationError(f"{own} exists already")
    stacks = {path: text for path, text in before.items() if re.fullmatch(r"Pulumi\.[^.]+\.yaml", path)}
    made = {own: stack_file(name, like, before[source], stacks)}
    bootstrap = f"bootstrap/{source}"
    if bootstrap in before:
        made[f"bootstrap/{own}"] = bootstrap_file(name, like, before[bootstrap])
    workflow = f"{_WORKFLOWS}{like}.yml"
    if workflow in before:
        made[f"{_WORKFLOWS}{name}.yml"] = _renamed(before[workflow], like, name)
    if DRIFT in before:
        made[DRIFT] = before[DRIFT].replace(f"stack: [{like}", f"stack: [{name}, {like}")
    if DIFFERENCES in before:
        made[DIFFERENCES] = with_environment(before[DIFFERENCES], name, like)
    return made


def remaining(name: str, like: str) -> str:
    """The steps that the command cannot take."""
    return (
        f"check in Pulumi.{name}.yaml: aws:allowedAccountIds, domain.hostedZoneId, identity.clientId and identity.allowed are "
        f"those of {like}, with its name replaced\n"
        f"check in .github/workflows/{name}.yml: it deploys {name} when {like} is deployed\n"
        f"if its account has an environment already: delete bootstrap/Pulumi.{name}.yaml and add {name} to the account's file there "
        f"(docs/add-an-environment.md)\n"
        f"on GitHub, create the environments {name} and {name}-preview (docs/releases.md)"
    )
