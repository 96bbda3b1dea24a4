"""``preflight release``: the commands that write what ``releases`` decides.

``new`` writes a release, ``promote`` and ``rollback`` point a stack at one, ``record`` notes what was deployed. Each
refuses with a reason and what to do instead of guessing. None deploys: they change files, for review.
"""
