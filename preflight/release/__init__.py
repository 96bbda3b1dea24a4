"""``preflight release``: the commands that write the files that ``releases`` defines.

``new`` writes a release, ``promote`` and ``rollback`` point a stack at one, ``record`` records a deployment. A refusal
includes the reason and the fix. No command deploys: they change files, for review.
"""
