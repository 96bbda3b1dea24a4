"""Property tests here say whether something holds, not how fast: the machine may be busy. Runs repeat exactly."""

from hypothesis import settings

settings.register_profile("components", deadline=None, derandomize=True)
settings.load_profile("components")
