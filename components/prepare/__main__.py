"""Print the code that the prepare container runs: ``python -m components.prepare``."""

from components.prepare import DATABASE, sources

for name, text in sources(DATABASE).items():
    print(f"# --- {name}\n{text}")  # noqa: T201 - this is a program that prints
