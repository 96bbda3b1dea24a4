"""The runbook of one stack: the section of an alarm or an incident, with the stack's names filled in."""
