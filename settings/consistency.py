"""Checks across sections. Each check needs only the sections that it compares, so one invalid section does not hide
problems in the others."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import assert_never

from components.common.aws_limits import ACL_PORT_NUMBERS, CACHE_PORT, DATABASE_PORT, GATEWAY_PORT, PROXY_PORT
from settings.data import CONNECTIONS_OF_A_UNIT, LEAST_CONNECTIONS, RESERVED_CONNECTIONS, Data
from settings.errors import FailedChecksError, Problem, check, collected
from settings.identity import Identity
from settings.limits import Limits
from settings.models import Models
from settings.sections import Capacity, Domain, Network
from settings.tools import Tools
from settings.upstreams import (
    ExternalUpstream,
    PrivateServer,
    calls_gateway,
    internet_host,
    model_region,
    server_of,
)

STORE_PORTS = {DATABASE_PORT: "the database", CACHE_PORT: "the cache"}
"""Ports that are always open between the private subnets."""
HTTPS = 443
TASKS_AT_ONCE = 2
"""During a deployment twice as many tasks run, because new tasks start before the old ones stop (``components.service.component``)."""
ACL_PORTS, EGRESS_ACL_PORTS = {2: 6, 3: 3}, {2: 4, 3: 2}
"""Number of ports besides 443 for which a network ACL has entries, by number of zones; the second if an upstream is of kind
``external`` (``components.network.acls``)."""


UPLOADS_AT_ONCE = 10
"""The uploads of the largest size that a task's disk must be able to hold: the files of one message."""
BYTES_ON_DISK = 2
"""How often an upload is on the disk while it arrives: as the form that the application receives, and as the file that it makes
of it (``components.applications.open_webui_data``)."""
FREE_PERCENT = 30
"""The share of the disk that the cleaner keeps free (``components.cleaner``) for what is too young to be removed."""
MEBIBYTES_OF_A_GIBIBYTE = 1024


def inconsistencies(sections: Mapping[str, object]) -> list[Problem]:
    """Problems between the sections that are present and valid; keys have no namespace."""
    try:
        with collected():
            _compare(sections)
    except FailedChecksError as failed:
        return list(failed.problems)
    return []


def _compare(sections: Mapping[str, object]) -> None:
    region, account = sections.get("region"), sections.get("account_id")
    domain, network = sections.get("domain"), sections.get("network")
    identity, models = sections.get("identity"), sections.get("models")
    given = sections.get("tools")
    tools = given if isinstance(given, Tools) else Tools()
    if isinstance(network, Network) and isinstance(region, str):
        _zones_of_the_region(network, region)
    if isinstance(domain, Domain) and isinstance(region, str) and isinstance(account, str):
        _certificate_of_the_region(domain, region, account)
    _copies_are_elsewhere(sections.get("data"), region, account)
    if isinstance(domain, Domain) and isinstance(identity, Identity):
        _host_names_differ(domain, identity)
    if isinstance(domain, Domain) and isinstance(models, Models):
        _upstreams_are_not_the_interface(domain, models, tools)
    if isinstance(models, Models) and isinstance(region, str):
        _models_of_the_region(models, region)
    if isinstance(models, Models) and isinstance(region, str) and isinstance(account, str):
        _private_upstreams_are_here(models, region, account, tools)
    if isinstance(models, Models) and isinstance(identity, Identity):
        _keys_are_not_the_client_secret(models, identity, tools)
    if isinstance(models, Models):
        _acl_numbers_differ(models, tools)
    if isinstance(models, Models) and isinstance(network, Network):
        _ports_fit_in_acls(models, network, tools)
        _external_upstreams_have_subnets(models, network)
    if isinstance(network, Network):
        _a_zone_can_be_lost(network, sections.get("capacity"), sections.get("data"))
    capacity, data = sections.get("capacity"), sections.get("data")
    if isinstance(capacity, Capacity) and isinstance(data, Data):
        _the_database_accepts_every_task(capacity, data)
    limits = sections.get("limits")
    if isinstance(capacity, Capacity) and isinstance(limits, Limits):
        _the_disk_holds_uploads(capacity, limits)


def _zones_of_the_region(network: Network, region: str) -> None:
    for position, zone in enumerate(network.availability_zones):
        check(
            zone[:-1] == region,
            key=f"network.availabilityZones[{position}]",
            value=zone,
            allowed=f"a zone of aws:region ({region})",
            fix=f"write {region}{zone[-1]}, or change aws:region",
        )


def _copies_are_elsewhere(data: object, region: object, account: object) -> None:
    """AWS Backup cannot copy an Aurora cluster to another region and another account in one action
    (https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html)."""
    if not isinstance(data, Data) or data.copy_vault_arn is None or region is None or account is None:
        return
    its_region, its_account = data.copy_vault_arn.split(":")[3:5]
    elsewhere = (its_region == region) != (its_account == account)
    check(
        elsewhere,
        key="data.copyVaultArn",
        value=data.copy_vault_arn,
        allowed=f"a vault in another region than {region} of account {account}, or in {region} of another account: AWS Backup "
        "copies a database to one or the other, not to both at once",
        fix="name a vault there; to have both, let the vault's own plan copy further",
    )
    place = None if its_region == region else [its_region, account]
    key = data.copy_key_arn.split(":")[3:5] if data.copy_key_arn is not None else None
    check(
        key == place or not elsewhere,
        key="data.copyKeyArn",
        value=data.copy_key_arn or "not set",
        allowed=f"the key of the vault, in {its_region}" if place else "no key: another account's vault has its own",
        fix="set it to the ARN of the key that encrypts the vault" if place else "remove it",
    )


def _models_of_the_region(models: Models, region: str) -> None:
    """Bedrock does not support cross-region access through an interface endpoint.

    https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-cross-region-privatelink-support.html
    """
    for position, group in enumerate(models.groups):
        for place, upstream in enumerate(group.upstreams):
            if (its_region := model_region(upstream)) is not None:
                check(
                    its_region == region,
                    key=f"models.groups[{position}].upstreams[{place}].region",
                    value=its_region,
                    allowed=f"aws:region ({region}): an interface endpoint cannot reach Bedrock in another region",
                    fix=f"write {region}; for the capacity of other regions, offer a cross-region inference profile "
                    "(an id such as eu.<model> or global.<model>) and list its destinationRegions",
                )


def _certificate_of_the_region(domain: Domain, region: str, account: str) -> None:
    if domain.certificate_arn is None:
        return
    _, _, _, its_region, its_account, _ = domain.certificate_arn.split(":", 5)
    check(
        (its_region, its_account) == (region, account),
        key="domain.certificateArn",
        value=domain.certificate_arn,
        allowed=f"a certificate in region {region} and account {account}: a load balancer cannot use any other",
        fix=f"request or import the certificate in {region}",
    )


def _host_names_differ(domain: Domain, identity: Identity) -> None:
    machines = identity.machine_clients
    if machines is None:
        return
    check(
        machines.host_name != domain.host_name,
        key="identity.machineClients.hostName",
        value=machines.host_name,
        allowed="a name other than domain.hostName: otherwise the application would accept a client's token as a user's",
        fix=f"use a name such as api.{domain.host_name}",
    )


def _upstreams_are_not_the_interface(domain: Domain, models: Models, tools: Tools) -> None:
    for key, upstream in _servers(models, tools):
        check(
            upstream.host_name != domain.host_name,
            key=f"{key}.hostName",
            value=upstream.host_name,
            allowed="a server that the interface calls, not the interface itself (domain.hostName)",
            fix="set the host name of the server",
        )


def _servers(models: Models, tools: Tools) -> Iterator[tuple[str, PrivateServer | ExternalUpstream]]:
    """Each upstream that names a server, and each search and tool server, with its key."""
    for position, group in enumerate(models.groups):
        for place, upstream in enumerate(group.upstreams):
            if (server := server_of(upstream)) is not None:
                yield f"models.groups[{position}].upstreams[{place}]", server
    yield from tools.located()


def _private(models: Models, tools: Tools) -> Iterator[tuple[str, PrivateServer]]:
    """Each private server with its key."""
    for key, server in _servers(models, tools):
        match server:
            case PrivateServer():
                yield key, server
            case ExternalUpstream():
                pass
            case _:
                assert_never(server)


def _external(models: Models) -> list[tuple[str, str]]:
    """Key and kind of each upstream on the internet."""
    return [
        (f"models.groups[{position}].upstreams[{place}]", upstream.kind)
        for position, group in enumerate(models.groups)
        for place, upstream in enumerate(group.upstreams)
        if internet_host(upstream) is not None
    ]


def _external_upstreams_have_subnets(models: Models, network: Network) -> None:
    """The egress subnets are part of a network that the stack creates."""
    for key, kind in _external(models):
        check(
            network.existing is None,
            key=f"{key}.kind",
            value=kind,
            allowed="an upstream that is reached without the internet: the egress proxy needs subnets and NAT gateways, which the "
            "stack creates in its own VPC only, and network.existing is set",
            fix="omit network.existing, or run an egress proxy of your own and declare it as an upstream of kind private",
        )


def _private_upstreams_are_here(models: Models, region: str, account: str, tools: Tools) -> None:
    """Endpoint services and secrets of this region, and secrets of this account: the boundary of the stack's roles allows no
    other (``bootstrap/role_boundaries.py``)."""
    for key, upstream in _private(models, tools):
        if upstream.endpoint_service is not None:
            check(
                upstream.endpoint_service.split(".")[3] == region,
                key=f"{key}.endpointService",
                value=upstream.endpoint_service,
                allowed=f"an endpoint service in aws:region ({region})",
                fix=f"have the server's owner offer it in {region}",
            )
    for key, upstream in _servers(models, tools):
        if upstream.api_key_secret is not None and upstream.api_key_secret.startswith("arn:"):
            check(
                upstream.api_key_secret.split(":")[3:5] == [region, account],
                key=f"{key}.apiKeySecret",
                value=upstream.api_key_secret,
                allowed=f"a secret of account {account} in aws:region ({region})",
                fix="store the key in a secret there, and write its name",
            )


def _keys_are_not_the_client_secret(models: Models, identity: Identity, tools: Tools) -> None:
    name = identity.client_secret_name
    for key, upstream in _servers(models, tools):
        secret = upstream.api_key_secret
        if secret is not None:
            check(
                name != secret and not re.fullmatch(rf"arn:.*:secret:{re.escape(name)}-[A-Za-z0-9]{{6}}", secret),
                key=f"{key}.apiKeySecret",
                value=secret,
                allowed="a secret of the server's own, not identity.clientSecretName: it would be sent to the server",
                fix="write the name of the secret with the server's API key",
            )


def _acl_numbers_differ(models: Models, tools: Tools) -> None:
    taken = {port % ACL_PORT_NUMBERS: (port, what) for port, what in STORE_PORTS.items()}
    for key, upstream in _private(models, tools):
        if upstream.port == HTTPS:
            continue
        port, what = taken.setdefault(upstream.port % ACL_PORT_NUMBERS, (upstream.port, "another declared server"))
        check(
            port == upstream.port and port not in STORE_PORTS,
            key=f"{key}.port",
            value=str(upstream.port),
            allowed=f"a port other than {port} ({what}) that does not differ from it by a multiple of {ACL_PORT_NUMBERS}: "
            "both would get the same network ACL rule number",
            fix="run the server on another port, for example 443",
        )


def _ports_fit_in_acls(models: Models, network: Network, tools: Tools) -> None:
    if network.existing is not None:  # An existing VPC has its own network ACLs.
        return
    for key, upstream in _private(models, tools):
        check(
            upstream.port != PROXY_PORT,
            key=f"{key}.port",
            value=str(upstream.port),
            allowed=f"a port other than {PROXY_PORT}: the private subnets' network ACL allows it from the load balancer only, so tasks "
            "in another zone than the server could not connect to it",
            fix=f"have the server, or the endpoint service, listen on another port, for example {HTTPS}",
        )
    ports = {upstream.port for _, upstream in _private(models, tools)}
    if any(calls_gateway(upstream) for group in models.groups for upstream in group.upstreams):
        ports.add(GATEWAY_PORT)
    own, zones = sorted(ports - {HTTPS, *STORE_PORTS}), len(network.availability_zones)
    external = sorted({kind for _, kind in _external(models)})
    available = (EGRESS_ACL_PORTS if external else ACL_PORTS)[zones] - len(STORE_PORTS)
    also = f" and an upstream of kind {' and '.join(external)}" if external else ""
    check(
        len(own) <= available,
        key="models.groups",
        value=f"servers on the ports {', '.join(map(str, own))}",
        allowed=f"{available} different ports besides {HTTPS} with {zones} zones{also}: AWS's quota of network ACL entries",
        fix=f"run some of the servers on the same port, for example {HTTPS}{', or use two zones' if external else ''}",
    )


def _a_zone_can_be_lost(network: Network, capacity: object, data: object) -> None:
    zones = len(network.availability_zones)
    if isinstance(capacity, Capacity) and capacity.minimum_tasks > 1:
        tasks = capacity.minimum_tasks
        check(
            2 * (tasks - math.ceil(tasks / zones)) >= tasks,
            key="capacity.minimumTasks",
            value=str(tasks),
            allowed=f"an even number: with {zones} zones, {tasks} tasks handle no more load than {tasks - 1} after the loss of "
            "a zone",
            fix=f"set it to {tasks + 1}, or add a zone",
        )
    if isinstance(data, Data):
        check(
            data.database.instances <= zones,
            key="data.database.instances",
            value=str(data.database.instances),
            allowed=f"at most one for each of the {zones} zones in network.availabilityZones",
            fix=f"set it to {zones}, or add a zone",
        )


def _the_database_accepts_every_task(capacity: Capacity, data: Data) -> None:
    database, tasks = data.database, TASKS_AT_ONCE * capacity.maximum_tasks
    available, needed = database.connections_for_tasks, tasks * capacity.database_connections
    fixes = ["lower capacity.maximumTasks"]
    if available // tasks >= LEAST_CONNECTIONS:
        fixes.insert(0, f"lower it to {available // tasks}")
    if needed + RESERVED_CONNECTIONS <= database.most_connections:
        units = math.ceil(2 * (needed + RESERVED_CONNECTIONS) / CONNECTIONS_OF_A_UNIT) / 2
        fixes.append(f"raise data.database.maximumCapacityUnits to {units:g}")
    check(
        needed <= available,
        key="capacity.databaseConnections",
        value=str(capacity.database_connections),
        allowed=f"at most {max(available // tasks, 0)} for each of {tasks} tasks (a deployment runs capacity.maximumTasks old and as "
        f"many new tasks): a database of {database.maximum_capacity_units:g} capacity units has {max(available, 0)} connections for them",
        fix=", or ".join(fixes),
    )


def _the_disk_holds_uploads(capacity: Capacity, limits: Limits) -> None:
    """``docs/scaling.md`` has the sizes; the cleaner removes no file of the last five minutes."""
    free = capacity.ephemeral_gibibytes * MEBIBYTES_OF_A_GIBIBYTE * FREE_PERCENT // 100
    upload, copies = limits.upload_mebibytes, UPLOADS_AT_ONCE * BYTES_ON_DISK
    least = math.ceil(upload * copies * 100 / (FREE_PERCENT * MEBIBYTES_OF_A_GIBIBYTE))
    check(
        upload * copies <= free,
        key="capacity.ephemeralGibibytes",
        value=str(capacity.ephemeral_gibibytes),
        allowed=f"at least {least}: {UPLOADS_AT_ONCE} uploads of limits.uploadMebibytes ({upload}) at once need {upload * copies} MiB, "
        f"and {FREE_PERCENT} percent of a task's disk are kept free for them",
        fix=f"set it to {least} or more, or limits.uploadMebibytes to {free // copies} or less",
    )
