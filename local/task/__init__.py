"""The tasks and the service of a stack: containers run as processes, as the task definition declares them."""
