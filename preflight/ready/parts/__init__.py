"""The parts of the check, in the order of reading. The first decides whether the others are asked at all."""

from preflight.ready.asking import Part
from preflight.ready.parts import (
    artifacts,
    backend,
    backup,
    bootstrap,
    domain,
    issuer,
    linked_roles,
    models,
    names,
    network,
    place,
    quotas,
)

PARTS: tuple[Part, ...] = (
    place.PART,
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
    names.PART,
    backend.PART,
)
