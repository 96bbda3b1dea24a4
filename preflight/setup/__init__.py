"""Writes a team's own values into the stack files, and adds environments.

``questions`` lists what is asked and ``answers`` collects it, from a terminal or a file; ``sizes`` holds what each size means;
``stack_files`` writes the answers into the committed files, whose comments stay; ``environments`` copies one environment to
another; ``generated`` renews what follows from the stack files.
"""
