"""The load that the tasks of an environment hold, computed from its recorded graph, and the limit that is reached first."""
