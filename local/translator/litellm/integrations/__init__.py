"""What a callback imports."""
