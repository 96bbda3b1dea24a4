"""The options of ``preflight release``, in a module without heavy imports, so that ``--help`` is fast."""

from __future__ import annotations

import argparse


def add_options(release: argparse.ArgumentParser) -> None:
    """The actions and their options."""
    actions = release.add_subparsers(dest="action", metavar="ACTION", required=True)
    _new_options(actions.add_parser("new", help="write a manifest: images by digest, models, prompts, schema, people"))

    forwards = actions.add_parser("promote", help="point a stack at the release that the previous environment has run")
    forwards.add_argument("stack", help="for example prod; the first environment gets the newest release")
    forwards.add_argument("--release", default="", metavar="VERSION", help="another release that ran there")

    back = actions.add_parser("rollback", help="point a stack back at the last release recorded there; no build")
    back.add_argument("stack", help="for example prod")
    back.add_argument("--to", default="", metavar="VERSION", help="an earlier release that ran there")
    back.add_argument(
        "--database-restored",
        action="store_true",
        help="the database was restored to a point before the newer schema: skip the schema check",
    )

    attested = actions.add_parser(
        "attest", help="print the entry of a successful deployment, signed if the stack has a public key (used by CI)"
    )
    attested.add_argument("stack")
    attested.add_argument("--release", required=True, metavar="VERSION", help="the value of the stack output release")
    _run_options(attested)

    written = actions.add_parser("record", help="add a successful deployment to the record (used by CI)")
    written.add_argument("stack")
    what = written.add_mutually_exclusive_group(required=True)
    what.add_argument("--release", default="", metavar="VERSION", help="the value of the stack output release")
    what.add_argument(
        "--entry", default="", metavar="JSON", help="the output of attest; the other options are part of it"
    )
    _run_options(written)

    key = actions.add_parser(
        "key", help="show the public key of a stack's record; with --write, every new entry has to be signed"
    )
    key.add_argument("stack")
    key.add_argument(
        "--write", action="store_true", help="write releases/keys/<stack>.yaml, and pin the existing entries"
    )


def _run_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--commit", default="", metavar="SHA", help="the deployed commit")
    made.add_argument("--run", dest="run_url", default="", metavar="URL", help="the URL of the run")
    made.add_argument(
        "--approvals",
        action="store_true",
        help="read from GitHub who approved the deployment in this run (GITHUB_TOKEN)",
    )


def _new_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("version", metavar="VERSION", help="year.month.number, for example 2026.12.1")
    made.add_argument(
        "--from", dest="base", default="", metavar="VERSION", help="the release to start from (default: the newest)"
    )
    made.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="NAME=REFERENCE",
        help="a changed image as registry/repository:tag; its digest is read from the registry, or given "
        "as registry/repository:tag@sha256:…",
    )
    made.add_argument(
        "--model", action="append", default=[], metavar="ID", help="a model id; replaces the release's list"
    )
    made.add_argument("--schema-revision", default="", metavar="REVISION", help="the last revision of the migrations")
    made.add_argument(
        "--compatible-with",
        action="append",
        default=[],
        metavar="VERSION",
        help="an earlier release that starts on this release's schema",
    )
    made.add_argument(
        "--update",
        choices=("rolling", "restart"),
        default="rolling",
        help="restart: the release must not run in parallel with the previous one, so all previous tasks are stopped first",
    )
    made.add_argument("--built-by", required=True, metavar="@WHO")
    made.add_argument(
        "--reviewed-by",
        action="append",
        required=True,
        metavar="@WHO",
        help="the reviewers of the models and the release",
    )
    made.add_argument(
        "--approved-by",
        action="append",
        required=True,
        metavar="@WHO",
        help="the approver; neither an author nor a reviewer",
    )
    made.add_argument("--prompt-reviewed-by", default="", metavar="@WHO", help="the reviewers of changed prompt texts")
