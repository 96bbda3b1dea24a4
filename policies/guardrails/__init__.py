"""A policy pack that proves what a stack on AWS exposes, and holds it to the rules of a production environment.

The folder is self-contained: it works under any name and in any place, so it can be used by path, copied or
published. ``topology`` is the resource graph and what it means; ``rules`` holds one policy a module; the
``server`` speaks Pulumi's Analyzer protocol. Importing any of them starts nothing.
"""
