"""The calls of a task, and whether DNS, network and policies of its stack allow each of them."""
