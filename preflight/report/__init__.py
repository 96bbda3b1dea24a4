"""Findings, and every format in which they are shown."""
