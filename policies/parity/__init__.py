"""A policy pack that checks that all environments have the same resources and properties, except declared differences.

``normalize`` replaces values that must differ, ``shape`` is an environment's resources as comparable leaves,
``comparison_rules`` defines how each property is compared, ``compare`` finds differences, ``declarations`` are the
allowed ones, ``evaluate`` turns the rest into findings of the policies in ``rules``. ``shapes/`` holds the committed
shapes (``committed_shapes``), so that the running stack is compared without access to another environment's state.
"""
