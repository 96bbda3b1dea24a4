"""English without a language model, in place of spaCy's package of this name: ``spacy.load("en_core_web_sm")`` returns it.

``unstructured``, with which Open WebUI reads several formats, loads that package at the first sentence. Its image does not have
it, and the download that follows fails in a network without a route to the internet, and on a read-only file system. The
library asks where sentences end and which words are verbs, to name an element a title or a paragraph; Open WebUI uses the text
of all elements and no names. Here rules find the ends of sentences, and no word has a part of speech.

This module is delivered as a file, with ``METADATA`` as another, by which spaCy knows it for a package.
"""

from importlib import import_module
from typing import Any


def load(**_: object) -> Any:  # noqa: ANN401 - the application's image alone has the types
    """The pipeline, for spaCy. A caller's choice of a model's components has no effect: there is none."""
    made = import_module("spacy").blank("en")
    made.add_pipe("sentencizer")
    return made
