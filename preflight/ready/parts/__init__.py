"""The parts of the check, in the order of the report. The others run only if the first one passes."""

from preflight.ready.context import Part
from preflight.ready.parts import (
    artifacts,
    backend,
    backup,
    baseline,
    bootstrap,
    domain,
    issuer,
    linked_roles,
    location,
    models,
    names,
    network,
    quotas,
)

PARTS: tuple[Part, ...] = (
    location.PART,
    bootstrap.PART,
    artifacts.IMAGES,
    artifacts.SECRET,
    domain.PART,
    issuer.PART,
    models.PART,
    network.PART,
    quotas.PART,
    linked_roles.PART,
    backup.PART,
    baseline.PART,
    names.PART,
    backend.PART,
)
