"""Adds an environment: a copy of another one's stack files with the copy's own names and network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from preflight.errors import ConfigurationError
from preflight.setup import bootstrap_files, commented_yaml, forms
from preflight.setup.generated import DIFFERENCES
from settings.configuration import AccountId
from settings.stack import PREFIX

_WORKFLOWS = ".github/workflows/"
DRIFT = f"{_WORKFLOWS}drift.yml"
"""The nightly comparison of every environment with its deployment."""


def stack_file(name: str, like: str, text: str, others: Mapping[str, str], account: str) -> str:
    """The stack file of the environment ``name`` in ``account``, copied from that of ``like``. ``others`` holds every stack file's
    text."""
    before = account_of(text)
    content = commented_yaml.read(_renamed(text.replace(before, account) if before else text, like, name))
    config = content["config"]
    commented_yaml.put(config, ["aws:allowedAccountIds"], [account])
    network: Any = config.get(f"{PREFIX}network", {})
    if "cidrBlock" in network:
        network["cidrBlock"] = str(free_block(str(network["cidrBlock"]), map(_block, others.values())))
    return commented_yaml.written(content)


def account_of(text: str) -> str:
    """The account of a stack file; empty if it does not name exactly one."""
    listed: Any = commented_yaml.read(text)["config"].get("aws:allowedAccountIds") or []
    return str(listed[0]) if len(listed) == 1 else ""


def bootstrap(name: str, like: str, stack: str, before: Mapping[str, str]) -> dict[str, str]:
    """The bootstrap stack file that sets up the environment, whose stack file has the text ``stack``: the one of its account with
    one more environment, or a new one for an account that has none. Empty if no file lists ``like``."""
    source = bootstrap_files.lists(before, like)
    if source is None:
        return {}
    account, region = account_of(stack), str(commented_yaml.read(stack)["config"].get("aws:region"))
    entry: Any = yaml.safe_load(
        _renamed(yaml.safe_dump(bootstrap_files.entry(before, like), sort_keys=False), like, name)
    )
    if home := bootstrap_files.of_account(before, account, region):
        return {home: bootstrap_files.with_entry(before[home], entry)}
    text = _renamed(bootstrap_files.alone(before[source], bootstrap_files.entry(before, like)), like, name)
    content = commented_yaml.read(text.replace(account_of(before[source]), account))
    commented_yaml.put(content["config"], ["aws:allowedAccountIds"], [account])
    return {bootstrap_files.file_of(name): commented_yaml.written(content)}


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


def added(name: str, like: str, before: Mapping[str, str], account: str | None = None) -> dict[str, str]:
    """File → content for the new environment, in ``account`` or in that of ``like``. Raises ``ConfigurationError`` if the name is
    taken, ``like`` does not exist, or the account is not one."""
    own, source = f"Pulumi.{name}.yaml", f"Pulumi.{like}.yaml"
    stacks = {
        match[1]: text for path, text in before.items() if (match := re.fullmatch(r"Pulumi\.([^.]+)\.yaml", path))
    }
    if source not in before:
        raise ConfigurationError(
            f"there is no stack file {source} to copy; --like is one of {', '.join(sorted(stacks))}"
        )
    if own in before:
        raise ConfigurationError(f"{own} exists already")
    given = forms.account(account) if account is not None else account_of(before[source])
    try:
        TypeAdapter[str](AccountId).validate_python(given)
    except ValidationError:
        where = "--account" if account is not None else f"aws:allowedAccountIds in {source}"
        raise ConfigurationError(
            f"{where}: {given!r} is not valid; allowed: exactly one AWS account id of 12 digits"
        ) from None
    made = {own: stack_file(name, like, before[source], stacks, given)}
    made |= bootstrap(name, like, made[own], before)
    workflow = f"{_WORKFLOWS}{like}.yml"
    if workflow in before:
        made[f"{_WORKFLOWS}{name}.yml"] = _renamed(before[workflow], like, name)
    if DRIFT in before:
        made[DRIFT] = before[DRIFT].replace(f"stack: [{like}", f"stack: [{name}, {like}")
    if DIFFERENCES in before:
        made[DIFFERENCES] = with_environment(before[DIFFERENCES], name, like)
    return made


def remaining(name: str, like: str, made: Mapping[str, str]) -> str:
    """The steps that the command cannot take. ``made`` holds the files that it wrote."""
    account = account_of(made[f"Pulumi.{name}.yaml"])
    file = next((one for one in sorted(made) if one.startswith("bootstrap/")), "")
    stack = file.removeprefix("bootstrap/Pulumi.").removesuffix(".yaml")
    bootstrapped = f"run pulumi up -s {stack} in bootstrap/, for account {account}\n"
    if file and stack != name:
        bootstrapped = (
            f"{name} is in account {account}, which has {file}: run pulumi up -s {stack} in bootstrap/ again\n"
        )
    return (
        f"check in Pulumi.{name}.yaml: domain.hostedZoneId, identity.clientId, identity.allowed and identity.administrators are those "
        f"of {like}; its name is replaced where they contain it. A separate client at the identity provider has another clientId\n"
        f"{name} comes before {like} now: a release is deployed to {name} first, or {like} is refused\n"
        f"check in .github/workflows/{name}.yml: it deploys {name} at the same events as {like}'s\n"
        f"{bootstrapped if file else ''}"
        f"on GitHub, create the environments {name}, {name}-images, {name}-preview and {name}-record (python -m preflight github)"
    )
