"""The formats of uploads that Open WebUI offers in a network without internet, and what it needs to read them.

Each was uploaded to 0.11.4 in a network namespace without a route (``tests/open_webui/test_documents.py``). Open WebUI refuses
every other extension when a file is uploaded to be read; a picture in a chat is not read.
"""

from pathlib import Path

from components.prepare import without_comments

DOCUMENTS = ("docx", "eml", "epub", "htm", "html", "msg", "pdf", "pptx", "rst", "xls", "xlsx", "xml")
"""Formats with a separate loader. Of ``eml``, the message is read as text: parts in base64 are not decoded."""
TEXTS = (  # noqa: SIM905 - a list of words
    "bash bat c cfg cmd conf cpp cs css csv dart db2 diff dockerfile env erl ex exs go gradle graphql h hpp hs hsc ics ini ino "
    "ipynb java js json jsonl jsx kt kts less lhs log lua m markdown md mm nginxconf patch perl php pl plsql pm properties proto "
    "ps1 py r rb rs scala scss sh sql srt svelte svg swift tex tf toml ts tsv tsx txt vtt vue yaml yml"
).split()
"""Formats that are read as they are."""
RECORDINGS = ("aac", "flac", "m4a", "mp3", "mp4", "oga", "ogg", "opus", "wav", "webm")
"""Sound, which Open WebUI transcribes with the model that its image has (a video is stored as it is). No test covers these:
the model's weights are available in the image only."""
UNSUPPORTED = {
    "doc": "LibreOffice would convert it, which the image does not have: save it as docx",
    "ppt": "LibreOffice would convert it, which the image does not have: save it as pptx",
    "odt": "Debian's pandoc converts it, but not in the sandbox in which it is started: save it as docx",
    "ods": "there is no loader, and its bytes would be read as text: save it as xlsx",
    "odp": "there is no loader, and its bytes would be read as text: save it as pptx",
    "rtf": "there is no loader, and its commands would be read as text: save it as docx",
}
"""Formats that office programs write, and the reason why they are refused."""

NAME, VERSION = "en_core_web_sm", "3.8.0"
"""The language package that ``unstructured`` 0.22.31 loads, and its version."""
METADATA = f"Metadata-Version: 1.0\nName: {NAME}\nVersion: {VERSION}\n"


def allowed_extensions() -> str:
    """The value of ``RAG_ALLOWED_FILE_EXTENSIONS``."""
    return ",".join(sorted({*DOCUMENTS, *TEXTS, *RECORDINGS}))


def language_files(folder: str) -> dict[str, str]:
    """The files that stand for the language package in a folder of ``PYTHONPATH``: path → text. ``importlib.metadata`` accepts
    a single file as the metadata of a package, so that both are in one folder."""
    source = Path(__file__).with_name(f"{NAME}.py").read_text("utf-8")
    return {
        f"{folder}/{NAME}.py": without_comments(source),
        f"{folder}/{NAME}-{VERSION}.egg-info": METADATA,
    }
