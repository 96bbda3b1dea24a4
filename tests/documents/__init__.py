"""Reads the commands and links of the repository's Markdown files, and checks commands without running them."""
