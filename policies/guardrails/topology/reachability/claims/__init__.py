"""Claims and findings: each module is functions of the facts, and looks nothing up in the resource graph."""
