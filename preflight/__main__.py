"""The command line of the offline engine: ``python -m preflight --help``."""

# ruff: noqa: PLC0415 - each command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import gc
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.pulumi import children
from preflight.release.options import add_options

if TYPE_CHECKING:
    from preflight.findings import Finding, Report
    from preflight.recording.recorder import Recording

FORMATS = ("text", "json", "markdown", "sarif", "junit")
DESCRIPTION = """\
Checks every environment of this project offline: no cloud credentials, no network, no pulumi CLI.

exit codes: 0 clean, 1 findings, 2 could not run
"""


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m preflight", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("-C", dest="root", type=Path, default=Path(), metavar="FOLDER", help="the project (default: here)")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    check = commands.add_parser("check", help="record all environments, ask the policy packs, compare the environments")
    check.add_argument("--stack", action="append", default=[], help="only this stack; may be given several times")
    check.add_argument("--policy-pack", action="append", type=Path, help="instead of the packs in policies/")
    check.add_argument("--format", choices=FORMATS, default="text")
    check.add_argument("--output", type=Path, metavar="FILE", help="write here instead of standard output")
    check.set_defaults(run=_check)

    _conform_options(commands.add_parser("conform", help="hold every value against what AWS publishes that it accepts"))

    reports = commands.add_parser(
        "reports", help="one check, all formats in a folder, and a comment for a pull request"
    )
    reports.add_argument("folder", type=Path)
    reports.add_argument("--base", default="", metavar="REF", help="say in the comment what changes since this git ref")
    reports.set_defaults(run=_reports)

    graph = commands.add_parser("graph", help="print the resources that one stack would register")
    graph.add_argument("stack")
    graph.add_argument("--format", choices=("json",), default="json")
    graph.add_argument("--preview", action="store_true", help="as a first preview: computed values unknown")
    graph.set_defaults(run=_graph)

    _trace_options(
        commands.add_parser("trace", help="what happens to one request, station by station, and which rule decides")
    )

    diff = commands.add_parser(
        "diff", help="what a change does to what runs (1: refused), then exposure, limits, identity, resources"
    )
    diff.add_argument("base", help="a git ref to compare with, for example origin/main")
    diff.add_argument("--stack", action="append", default=[], help="only this stack; may be given several times")
    diff.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    diff.set_defaults(run=_diff)

    report = commands.add_parser("report", help="one self-contained HTML page about all environments")
    report.add_argument("--output", type=Path, metavar="FILE", help="write here instead of standard output")
    report.set_defaults(run=_report)

    proxy = commands.add_parser("proxy-config", help="print the proxy's configuration of one stack as JSON")
    proxy.add_argument("stack")
    proxy.set_defaults(run=_proxy_config)

    shapes = commands.add_parser("shapes", help="the committed shape of every environment: check it or write it anew")
    shapes.add_argument("--write", action="store_true", help="write policies/parity/shapes/")
    shapes.set_defaults(run=_shapes)

    owners = commands.add_parser("owners", help="CODEOWNERS from the owners in the settings: check it or write it anew")
    owners.add_argument("--write", action="store_true", help="write .github/CODEOWNERS")
    owners.set_defaults(run=_owners)

    ready = commands.add_parser("ready", help="ask the stack's account, before its first up, for what the stack needs")
    ready.add_argument("stack")
    ready.add_argument("--format", choices=("text", "json", "markdown", "junit"), default="text")
    ready.add_argument("--output", type=Path, metavar="FILE", help="write here instead of standard output")
    ready.add_argument("--strict", action="store_true", help="what cannot be told counts as missing")
    ready.add_argument(
        "--no-model-call", action="store_true", help="send no request to a model (one token each, billed)"
    )
    ready.add_argument("--endpoint-url", metavar="URL", help="ask this instead of AWS's own endpoints")
    ready.set_defaults(run=_ready)

    docs = commands.add_parser("docs", help="the documents that are generated from the code: check them or write them")
    docs.add_argument("--write", action="store_true", help="write the ones that are out of date")
    docs.set_defaults(run=_docs)

    release = commands.add_parser("release", help="write a release, move a stack to one, record what was deployed")
    add_options(release)
    release.set_defaults(run=_release)
    return top


def _conform_options(conform: argparse.ArgumentParser) -> None:
    conform.add_argument("stack", nargs="*", help="only these stacks; without a name, all that have a file")
    conform.add_argument("--project", action="append", default=[], choices=("main", "bootstrap"), help="default: both")
    conform.add_argument("--format", choices=FORMATS, default="text")
    conform.add_argument("--output", type=Path, metavar="FILE", help="write here instead of standard output")
    conform.set_defaults(run=_conform)


def _trace_options(trace: argparse.ArgumentParser) -> None:
    trace.add_argument("stack")
    trace.add_argument("method", help="for example POST")
    trace.add_argument("url", help="for example https://chat.example.com/api/chat/completions")
    trace.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    trace.add_argument("--cookie", action="append", default=[], metavar="NAME=VALUE")
    trace.add_argument("--body", default="", metavar="SIZE", help="the body's size, for example 5MB")
    trace.add_argument(
        "--claim", action="append", default=[], metavar="NAME=VALUE", help="who has logged in; several values by comma"
    )
    trace.add_argument("--token", action="store_true", help="a machine client's token instead of a session")
    trace.add_argument("--client", default="", metavar="ADDRESS", help="where the request comes from")
    trace.add_argument("--format", choices=("text", "json"), default="text")
    trace.set_defaults(run=_trace)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    signal.signal(signal.SIGTERM, children.end)
    gc.disable()  # short-lived, and the collector would take a quarter of the time to import the SDKs
    try:
        return run(options)
    except KeyboardInterrupt:
        _say("stopped")
        return 2
    except OSError as error:
        _say(f"could not run\n\n{error.filename or 'a file'}: {error.strerror or error}")
        return 2
    except Exception as error:
        from preflight.errors import PreflightError

        if isinstance(error, PreflightError):
            _say(f"could not run\n\n{error}")
        else:
            # A fault of this program. Its trace helps to mend it; status 1 would be read as findings.
            traceback.print_exc()
            _say("could not run: this is a fault in preflight, please report it with the lines above")
        return 2


def _check(options: argparse.Namespace) -> int:
    from preflight.analysis.check import check

    packs: list[Path] | None = options.policy_pack
    checked = check(options.root.resolve(), options.stack, packs, _progress())
    return _say_report(checked.report, options)


def _conform(options: argparse.Namespace) -> int:
    from preflight.conform.command import conform

    return _say_report(conform(options.root.resolve(), options.stack, options.project, _progress()), options)


def _say_report(report: Report, options: argparse.Namespace) -> int:
    from preflight.report.output import render

    _end_progress()
    content = render(report, options.format, terminal=options.output is None and sys.stdout.isatty())
    if options.output is None:
        sys.stdout.write(content)
    else:
        options.output.write_text(content, encoding="utf-8")
    return report.exit_code


def _reports(options: argparse.Namespace) -> int:
    from preflight.analysis.check import check
    from preflight.report import bundle as reports

    root = options.root.resolve()
    planned = reports.plan(root, options.base) if options.base else None  # forks, so it comes before the packs
    checked = reports.with_findings(check(root, progress=_progress()), planned)
    changed = reports.changes(options.base, checked, planned) if planned else ""
    _end_progress()
    for path in reports.write(options.folder, checked, changed):
        sys.stdout.write(f"wrote {path}\n")
    return checked.report.exit_code


def _graph(options: argparse.Namespace) -> int:
    from preflight.recording.graph import graph
    from preflight.report.output import stable

    sys.stdout.write(stable(graph(_recorded(options.root, options.stack, preview=options.preview))))
    return 0


def _trace(options: argparse.Namespace) -> int:
    from preflight.analysis import tracing

    asked = tracing.Asked(
        method=options.method,
        url=options.url,
        headers=tuple(options.header),
        cookies=tuple(options.cookie),
        body=options.body,
        claims=tuple(options.claim),
        token=options.token,
        client=options.client,
    )
    request = tracing.request_of(asked)
    outcome = tracing.follow(_recorded(options.root, options.stack), request)
    sys.stdout.write((tracing.as_json if options.format == "json" else tracing.as_text)(request, outcome))
    return tracing.exit_code(outcome)


def _diff(options: argparse.Namespace) -> int:
    from preflight.analysis import diff, parity
    from preflight.analysis.check import run
    from preflight.changes import since
    from preflight.pulumi.project import Project

    root = options.root.resolve()
    project = Project.load(root)
    names = parity.order(root, options.stack or project.stacks())
    progress = _progress()
    progress(f"taking {options.base} out of git and running it")
    before = diff.base_recordings(root, options.base, names)
    after = run(project, [project.stack(name) for name in names], progress, previews=False)
    progress("planning what it does to what runs")
    running = {one.environment: one for one in since.changes(root, options.base, before)}
    _end_progress()
    found = [
        replace(diff.changes(name, before[name], after[name, False]), running=tuple(since.lines(running[name])))
        for name in names
        if name in before
    ]
    render = {"text": diff.as_text, "json": diff.as_json, "markdown": diff.as_markdown}[options.format]
    sys.stdout.write(render(options.base, found))
    return 1 if any(one.fails for one in running.values()) else 0


def _report(options: argparse.Namespace) -> int:
    from preflight.analysis.check import check
    from preflight.report.page import html

    checked = check(options.root.resolve(), progress=_progress())
    _end_progress()
    content = html(checked)
    if options.output is None:
        sys.stdout.write(content)
    else:
        options.output.write_text(content, encoding="utf-8")
    return checked.report.exit_code


def _proxy_config(options: argparse.Namespace) -> int:
    from preflight.analysis.edge_proxy import configuration
    from preflight.report.output import stable

    sys.stdout.write(stable(configuration(_recorded(options.root, options.stack))))
    return 0


def _recorded(root: Path, stack: str, *, preview: bool = False) -> Recording:
    """One stack, recorded once."""
    from preflight.pulumi.program import Run, collect, load, start
    from preflight.pulumi.project import Project

    project = Project.load(root.resolve())
    chosen = project.stack(stack)
    load(project)
    return collect(start(project, [Run(chosen, preview)]))[stack, preview]


def _shapes(options: argparse.Namespace) -> int:
    from preflight.analysis import parity

    root, recordings = _all_recorded(options.root)
    if options.write:
        return _wrote(root, parity.write(root, recordings))
    return _stale(f for f in parity.compared(root, recordings).findings if f.rule == parity.CURRENT)


def _owners(options: argparse.Namespace) -> int:
    from preflight.analysis import owners, parity

    root, recordings = _all_recorded(options.root)
    known = {stack: recordings[stack, False] for stack in parity.order(root, [stack for stack, _ in recordings])}
    if options.write:
        return _wrote(root, owners.write(root, known))
    return _stale(owners.stale(root, known))


def _docs(options: argparse.Namespace) -> int:
    from preflight import reference

    root = options.root.resolve()
    if options.write:
        return _wrote(root, reference.write(root))
    stale = reference.stale(root)
    sys.stdout.write("".join(f"{name}: out of date; run `make docs` and commit the result\n" for name in stale))
    return 1 if stale else 0


def _all_recorded(folder: Path) -> tuple[Path, Mapping[tuple[str, bool], Recording]]:
    """Every stack with known values, and the project's folder."""
    from preflight.analysis.check import run
    from preflight.pulumi.project import Project

    root = folder.resolve()
    project = Project.load(root)
    recordings = run(project, [project.stack(name) for name in project.stacks()], _progress(), previews=False)
    _end_progress()
    return root, recordings


def _wrote(root: Path, paths: Iterable[Path]) -> int:
    sys.stdout.write("".join(f"wrote {path.relative_to(root)}\n" for path in paths))
    return 0


def _stale(findings: Iterable[Finding]) -> int:
    found = list(findings)
    sys.stdout.write("".join(f"{finding.headline}: {finding.fix}\n" for finding in found))
    return 1 if found else 0


def _ready(options: argparse.Namespace) -> int:
    from preflight.account.render import FORMATS as RENDERERS
    from preflight.ready.command import Options, ready

    asked = Options(
        root=options.root.resolve(),
        stack=options.stack,
        endpoint_url=options.endpoint_url,
        call_models=not options.no_model_call,
        strict=options.strict,
    )
    answer = ready(asked, _progress())
    _end_progress()
    content = RENDERERS[options.format](answer)
    if options.output is None:
        sys.stdout.write(content)
    else:
        options.output.write_text(content, encoding="utf-8")
    return answer.exit_code


def _release(options: argparse.Namespace) -> int:
    from preflight.release.command import run

    return run(options, _progress(), _end_progress)


def _progress() -> Callable[[str], None]:
    """Says what is going on, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda step: _write_error(f"\r\033[K{step} …")


def _end_progress() -> None:
    if sys.stderr.isatty():
        _write_error("\r\033[K")


def _say(message: str) -> None:
    _end_progress()
    _write_error(f"preflight: {message}\n")


def _write_error(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
