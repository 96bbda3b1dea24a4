"""The resources of a stack as declared: values, unknowns, references and verdicts."""
