"""Claims and findings: each module contains functions of the facts, which do not access the resource graph."""
