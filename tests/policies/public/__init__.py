"""Public Pulumi programs, as facts: what other teams' stacks declare, and a reviewer's verdict on each finding."""
