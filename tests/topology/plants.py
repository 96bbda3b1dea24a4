"""All planted exposures: importing a module of the table registers its rows."""

from tests.topology import planted_by_setting, planted_entry_points, planted_networks
from tests.topology.planting import PLANTS

__all__ = ["MODULES", "PLANTS"]

MODULES = (planted_by_setting, planted_entry_points, planted_networks)
"""The modules of the table."""
