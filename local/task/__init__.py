"""Tasks and the service of a stack: containers as processes, with what the task definition says of each."""
