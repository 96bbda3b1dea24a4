"""Writes a team's own values into the stack files, and adds environments.

``questions`` lists the questions (``question``, ``people``, ``forms``), ``answers`` collects them from a terminal or a file, and
``asked_again`` selects those to ask again after a refusal; ``sizes`` holds the values of each size; ``stack_files`` writes the
answers into the committed files, whose comments stay, with ``marks``, ``offered``, ``bootstrap_files`` and ``examples`` for the parts;
``environments`` copies one environment to another; ``generated`` renews what follows from the stack files.
"""
