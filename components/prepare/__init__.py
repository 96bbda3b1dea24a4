"""What runs in the task before the application: see ``main.py``, delivered as text in the container's command."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("main.py").read_text(encoding="utf-8")
"""The script's source. It uses Python's standard library only, so it runs in any image that has ``python3``."""

PLAN_VARIABLE = "PREPARE_PLAN"
"""The environment variable from which the script reads what to do, as JSON."""
