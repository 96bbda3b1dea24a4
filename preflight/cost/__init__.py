"""The monthly cost of a stack, from its recorded graph and the dated price table ``prices.tsv``."""
