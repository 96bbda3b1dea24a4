"""The parts of the account's check, in the order of reading."""

from preflight.verify.asking import Part
from preflight.verify.parts import exposure, service, state, watching

PARTS: tuple[Part, ...] = (service.PART, watching.PART, state.PART, exposure.PART)
