"""Every format that the preset offers, uploaded to the real Open WebUI in a network namespace without any route.

Runs where ``open-webui`` is installed (``make test-open-webui``), as root. A format whose converter the image has and this
machine lacks (pandoc for ``epub``) is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from components.applications.documents import DOCUMENTS, TEXTS, UNSUPPORTED
from local.processes import ending
from tests.namespaces import require_namespaces
from tests.open_webui import documents, upload
from tests.open_webui.application import PYTHON, as_the_presets_user, command, prepared

START_SECONDS = 600
PORT = 8080
URL = f"http://127.0.0.1:{PORT}"
NOT_EMBEDDED = {"BYPASS_EMBEDDING_AND_RETRIEVAL": "true"}
"""What was read is kept and not embedded: the models are tested elsewhere."""

pytestmark = pytest.mark.skipif(not PYTHON, reason="open-webui is not installed: make test-open-webui")

Answers = dict[str, tuple[int, str]]


def _inside(process: int, *arguments: str) -> str:
    """The output of a program of this interpreter in the namespace of a process."""
    enter = ["nsenter", f"--net=/proc/{process}/ns/net", sys.executable, *arguments]
    return subprocess.run(enter, check=True, capture_output=True, text=True, timeout=1200).stdout  # noqa: S603


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("documents")
    extensions = [*DOCUMENTS, *TEXTS, *UNSUPPORTED, "unheard"]
    subprocess.run([PYTHON, documents.__file__, str(made), *extensions], check=True)  # noqa: S603 - our own script
    return made


@pytest.fixture(scope="module")
def answers(folder: Path) -> Generator[Answers]:
    """What the application answers to each file."""
    require_namespaces()
    root = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())  # noqa: S607 - the user must reach it
    root.chmod(0o755)
    log = root / "log"
    alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the preset's command
                [*alone, *as_the_presets_user(), *command(PORT)],
                env={**prepared(root, URL, {}), **NOT_EMBEDDED},
                cwd="/",
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        with ending(process, 30):
            _wait(process, log)
            routes = subprocess.run(  # noqa: S603 - iproute2
                ["nsenter", f"--net=/proc/{process.pid}/ns/net", "ip", "route"],  # noqa: S607
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            assert routes.stdout == ""
            files = sorted(str(one) for one in folder.iterdir())
            yield json.loads(_inside(process.pid, upload.__file__, URL, *files))
    finally:
        shutil.rmtree(root)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    code = f"import urllib.request; urllib.request.urlopen('{URL}/health', timeout=5)"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _inside(process.pid, "-c", code)
        except subprocess.CalledProcessError:
            time.sleep(2)
        else:
            return
    pytest.fail("Open WebUI did not start:\n" + log.read_text(errors="replace")[-4000:])


@pytest.mark.parametrize("extension", [*DOCUMENTS, *TEXTS])
def test_the_text_of_an_offered_format_is_read_without_a_network(answers: Answers, extension: str) -> None:
    if extension == "epub" and not shutil.which("pandoc"):
        pytest.skip("this machine has no pandoc, which Open WebUI's image has")
    status, text = answers[f"sample.{extension}"]

    assert status == 200, text
    read = " ".join(text.replace("=\n", "").split())
    for sentence in documents.PARAGRAPHS:
        assert sentence in read, text
    if extension == "xlsx":
        assert documents.ALONE in read


@pytest.mark.parametrize("extension", [*UNSUPPORTED, "unheard"])
def test_any_other_format_is_refused_with_its_name(answers: Answers, extension: str) -> None:
    status, error = answers[f"sample.{extension}"]

    assert (status, f"File type {extension} is not allowed" in error) == (400, True), error


@pytest.mark.skipif(os.getuid() != 0, reason="a network namespace needs root")
@pytest.mark.parametrize("verb", [False, True], ids=["no word is a verb", "every word is a verb"])
def test_what_a_model_would_say_about_words_does_not_change_the_text(
    folder: Path, tmp_path: Path, *, verb: bool
) -> None:
    """A real model lies between these two."""
    code = f"""
import json, sys
sys.path.insert(0, {str(Path(documents.__file__).parents[2])!r})
import unstructured.nlp.tokenize as tokenize
from components.applications.en_core_web_sm import load
tokenize._get_nlp = load
tokenize.pos_tag = lambda text: [(word, "VB" if {verb} else "NN") for word in text.split()]
import unstructured.partition.text_type as kinds
kinds.pos_tag = tokenize.pos_tag
from open_webui.retrieval.loaders.local import UnstructuredLoader
print(json.dumps([UnstructuredLoader(sys.argv[1] + "/sample." + one, one).load()[0].page_content for one in ("pptx", "xlsx", "xml")]))
"""
    environment = {
        "DATA_DIR": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "WEBUI_SECRET_KEY": "k" * 64,
        "HOME": str(tmp_path),
    }
    said = subprocess.run(  # noqa: S603 - our own script
        ["unshare", "--net", PYTHON, "-c", code, str(folder)],  # noqa: S607
        env=environment, check=True, capture_output=True, text=True, timeout=300,
    ).stdout.splitlines()[-1]  # fmt: skip
    assert [" ".join(one.split()) for one in json.loads(said)] == [
        " ".join(("The zoo", *documents.PARAGRAPHS)),
        f"note {documents.PARAGRAPHS[0]} note {documents.PARAGRAPHS[1]} {documents.ALONE}",
        " ".join(documents.PARAGRAPHS),
    ]
