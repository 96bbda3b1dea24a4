"""What a run of the program registers, resource by resource."""
