"""A policy pack that holds every environment to one shape: same resources, same properties, declared differences.

``normal`` replaces what must differ, ``shape`` is an environment's resources as comparable leaves, ``classes`` says
how each property is compared, ``compare`` finds differences, ``declarations`` are the allowed ones, ``judge`` turns
the rest into findings. ``shapes/`` holds the committed shapes (``manifests``), so that the running stack is compared
without a second backend. Importing any of them starts nothing.
"""
