"""A policy pack that proves what a stack on AWS exposes, and checks it against the rules of a production environment.

The folder is self-contained: it works under any name and in any place, so it can be used by path, copied or published.
``topology`` is the resource graph and its analysis; ``rules`` contains one policy per module; the ``server`` implements
Pulumi's Analyzer protocol. Importing any of them has no side effects.
"""
