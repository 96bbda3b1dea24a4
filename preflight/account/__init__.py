"""Shared by the commands that query a real account: the lines of a result, their output formats, and the session."""
