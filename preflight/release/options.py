"""The options of ``preflight release``, apart from what carries them out: ``--help`` answers at once."""

from __future__ import annotations

import argparse


def add_options(release: argparse.ArgumentParser) -> None:
    """The actions and what each takes."""
    actions = release.add_subparsers(dest="action", metavar="ACTION", required=True)
    _new_options(actions.add_parser("new", help="write a manifest: images by digest, models, prompts, schema, people"))

    forwards = actions.add_parser("promote", help="point a stack at what the environment before has run")
    forwards.add_argument("stack", help="for example prod; the first environment takes the newest release")
    forwards.add_argument("--release", default="", metavar="VERSION", help="another one that ran there")

    back = actions.add_parser("rollback", help="point a stack back at the last release recorded there; no build")
    back.add_argument("stack", help="for example prod")
    back.add_argument("--to", default="", metavar="VERSION", help="an earlier one that ran there")
    back.add_argument(
        "--database-restored",
        action="store_true",
        help="the database was restored to a point before the newer schema: do not ask what starts on it",
    )

    written = actions.add_parser("record", help="for the deploy job: add a successful deployment to the record")
    written.add_argument("stack")
    written.add_argument("--release", required=True, metavar="VERSION", help="the stack's output release")
    written.add_argument("--commit", default="", metavar="SHA", help="what was deployed")
    written.add_argument("--run", dest="run_url", default="", metavar="URL", help="the job's page")


def _new_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("version", metavar="VERSION", help="year.month.number, for example 2026.12.1")
    made.add_argument("--from", dest="base", default="", metavar="VERSION", help="based on this one (default: newest)")
    made.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="NAME=REFERENCE",
        help="an image that changes, as registry/repository:tag; its digest is asked of the registry, or given by "
        "hand as registry/repository:tag@sha256:…",
    )
    made.add_argument("--model", action="append", default=[], metavar="ID", help="a model; replaces the list")
    made.add_argument("--schema-revision", default="", metavar="REVISION", help="where the migrations end")
    made.add_argument(
        "--compatible-with", action="append", default=[], metavar="VERSION", help="starts on this release's schema"
    )
    made.add_argument(
        "--update",
        choices=("rolling", "restart"),
        default="rolling",
        help="restart: it must not run beside the release before, so every task of that one stops first",
    )
    made.add_argument("--built-by", required=True, metavar="@WHO")
    made.add_argument("--reviewed-by", action="append", required=True, metavar="@WHO", help="of models and release")
    made.add_argument("--approved-by", action="append", required=True, metavar="@WHO", help="somebody else")
    made.add_argument("--prompt-reviewed-by", default="", metavar="@WHO", help="where a text was changed")
