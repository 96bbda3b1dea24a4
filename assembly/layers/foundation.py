"""The private part: what exists before the application, and what no user reaches."""

from dataclasses import dataclass

import pulumi

import assembly
from components.data import Data, UploadsAccess
from components.egress import EgressIdentity, EgressNetwork
from components.gateway import GatewayIdentity
from components.models import ModelAccess
from components.monitoring import Operations
from components.network import PrivateEndpoints, PrivateNetwork
from components.service import WorkloadIdentity
from components.synthetic import SyntheticIdentity
from releases.manifest import Release
from releases.prompts import Prompts
from settings import StackSettings


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """Its components. ``None``: the settings do not need it."""

    operations: Operations
    network: PrivateNetwork
    workload: WorkloadIdentity
    gateway: GatewayIdentity | None
    egress: EgressIdentity | None
    egress_network: EgressNetwork | None
    synthetic: SyntheticIdentity | None
    models: ModelAccess
    data: Data
    endpoints: PrivateEndpoints
    uploads: UploadsAccess


def foundation(settings: StackSettings, release: Release, prompts: Prompts) -> Foundation:
    """Create it."""
    operations = Operations("operations", assembly.operations(settings))
    network = PrivateNetwork("network", assembly.network(settings, operations))
    workload = WorkloadIdentity("workload", assembly.workload(settings, network, operations))
    gateway_args = assembly.gateway_identity(
        settings, release, network=network, operations=operations, workload=workload
    )
    gateway = GatewayIdentity("gateway", gateway_args) if gateway_args else None
    egress_args = assembly.egress_identity(settings, network=network, operations=operations, workload=workload)
    egress = EgressIdentity("egress", egress_args) if egress_args else None
    subnets = assembly.egress_network(settings, network)
    # The subnets depend on the VPC's default network ACL, which the network locks first.
    after_network = pulumi.ResourceOptions(depends_on=[network])
    egress_network = EgressNetwork("egress-network", subnets, after_network) if subnets else None
    synthetic_args = assembly.synthetic_identity(
        settings, network=network, operations=operations, gateway=gateway, egress=egress
    )
    synthetic = SyntheticIdentity("synthetic", synthetic_args) if synthetic_args else None
    caller = assembly.synthetic_caller(synthetic)
    models = ModelAccess("models", assembly.models(settings, prompts, workload, gateway, caller))
    data = Data("state", assembly.data(settings, network, operations, workload))
    endpoints = PrivateEndpoints(
        "endpoints",
        assembly.endpoints(
            settings,
            network=network,
            operations=operations,
            workload=workload,
            models=models,
            data=data,
            gateway=gateway,
            egress=egress,
            egress_network=egress_network,
            synthetic=assembly.synthetic_client(settings, synthetic, models),
        ),
    )
    return Foundation(
        operations=operations,
        network=network,
        workload=workload,
        gateway=gateway,
        egress=egress,
        egress_network=egress_network,
        synthetic=synthetic,
        models=models,
        data=data,
        endpoints=endpoints,
        uploads=UploadsAccess("uploads", assembly.uploads_access(data, endpoints)),
    )
