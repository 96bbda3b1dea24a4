"""Releases: ``new`` writes one, ``promote`` and ``rollback`` move a stack to one, ``record`` says what was deployed.

Each refuses with a reason and what to do instead of guessing. None deploys: what they change is files, for review.
"""
