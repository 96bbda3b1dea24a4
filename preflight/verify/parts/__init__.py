"""The parts of the account check, in the order of the report."""

from preflight.verify.context import Part
from preflight.verify.parts import alarms_and_logs, data, exposure, service

PARTS: tuple[Part, ...] = (service.PART, alarms_and_logs.PART, data.PART, exposure.PART)
