"""What a task calls, and whether names, network and policies of its stack let each call through."""
