"""The applications that a stack file can select: one module each, which assigns a ``Preset`` to ``PRESET``.

``components.applications.catalogue`` discovers them; there is no list. The module's name with hyphens is the preset's
name: ``open_webui.py`` is ``open-webui``.
"""
