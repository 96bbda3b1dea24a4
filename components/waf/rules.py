"""The WAF rules as one readable table, in order of priority.

Every rule has an explicit priority, so the order of lines in this file does not matter. A rule that blocks ends the
request; a rule that counts adds labels for later rules or metrics for operators. An ALB passes to the web ACL only the
first 8,192 bytes of the body, and the first 8,192 bytes and 200 headers of all headers, independent of the field that a
rule reads (https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html). The proxy
handles the rest. No rule here blocks a request for a missing header, because the header may lie beyond the inspected
part. Only the proxy requires a content-length (411), and it removes forged identity headers that the web ACL did not
inspect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.edge.rules import LOGIN_CALLBACK
from components.waf.lengths import WELL_FORMED_LENGTH, number_above, readable_size
from components.waf.managed import Part, managed_rules
from components.waf.statements import (
    BODY_WINDOW,
    HEADER_WINDOW,
    LOWERCASE,
    METHOD,
    QUERY_STRING,
    URI_PATH,
    Statement,
    both,
    either,
    equals,
    from_networks,
    header,
    header_names,
    headers_but,
    labelled,
    longer_than,
    matches,
    more_often_than,
    negated,
    present,
    starts_with,
)
from components.waf.table import Action, Rule

WINDOW_BYTES = 8192
"""The number of bytes of a body, and of all headers, that an ALB passes to the web ACL."""

CALLBACK_QUERY_BYTES = 8192
"""The maximum query string of the login callback, which contains a code and the load balancer's encrypted state."""

RATE_WINDOW_SECONDS = 300
RETRY_AFTER_SECONDS = "60"

CANARY_PATH = "/firewall-canary"

TRUSTED_PREFIXES = ("x-amzn-oidc-", "x-envoy-")
"""Prefixes of headers that only the edge and the proxy set."""

GRPC = "application/grpc"

LARGEST_SINGLE_HEADER_BYTES = 6144
"""Three quarters of the inspected part: a longer header could not be distinguished from one that is cut off."""

UPLOAD, MODEL_CALL, FREE_TEXT, STATIC = "path:upload", "path:model-call", "path:free-text", "path:static"
FREE_QUERY = "path:free-query"
OFFICE = "network:office"

AMBIGUOUS_PATH = r"//|\\|/\.{1,2}(/|$)|%(00|2[5dDeEfF]|3[0-9]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aAeE])"
"""Other spellings of a path: doubled slashes, dot segments, encoded separators and percent signs, and characters that
need no encoding. No client sends them by accident, and each could be interpreted as one path here and as a different
path by the application."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in the table, all from the settings."""

    prompt_bytes: int
    upload_bytes: int
    cookie_bytes: int
    header_bytes: int
    query_bytes: int
    uri_bytes: int
    pages_per_window: int
    """The rates for one session, like the next two fields."""
    uploads_per_window: int
    model_calls_per_window: int
    address_pages_per_window: int
    """The rates for one address, like the next three fields."""
    address_uploads_per_window: int
    address_model_calls_per_window: int
    address_static_per_window: int
    office_uploads_per_window: int = 0
    """The rates for one address of the office networks, like the next two fields. Unused without these networks."""
    office_model_calls_per_window: int = 0
    office_requests_per_window: int = 0
    """All requests other than uploads and model calls."""


@dataclass(frozen=True, slots=True)
class Application:
    """The inputs of the table from the application and the edge."""

    upload_paths: tuple[str, ...]
    model_call_paths: tuple[str, ...]
    prompt_paths: tuple[str, ...]
    fixed_body_paths: tuple[str, ...]
    query_paths: tuple[str, ...]
    static_paths: tuple[str, ...]
    methods: tuple[str, ...]
    trusted_headers: tuple[str, ...]
    session_cookie: str
    office_networks: Any = None
    """The ARN of the IP set of the office networks. ``None``: there are none."""


def _paths(prefixes: Sequence[str]) -> Statement:
    """Any path that begins with one of the prefixes. ``/`` is the start page alone: as a prefix it would be every path."""
    return either(
        *(
            equals(URI_PATH, prefix) if prefix == "/" else starts_with(URI_PATH, prefix)
            for prefix in sorted(set(prefixes))
        )
    )


def _guards(application: Application) -> list[Rule]:
    forged = [present(header(name)) for name in sorted({name.lower() for name in application.trusted_headers})]
    prefixed = [starts_with(header_names(), prefix, LOWERCASE) for prefix in TRUSTED_PREFIXES]
    return [
        Rule("canary", 100, equals(URI_PATH, CANARY_PATH), Action.BLOCK, 403, "Blocked on purpose: this is the canary",
             reason="monitoring requests this path: the response and the metric show that the web ACL is active"),
        Rule("ambiguous-path", 110, matches(URI_PATH, AMBIGUOUS_PATH), Action.BLOCK, 400, "Ambiguous path",
             reason="all later rules, and all path rules after the WAF, can compare paths without decoding"),
        Rule("method", 120, negated(matches(METHOD, f"^({'|'.join(sorted(set(application.methods)))})$")), Action.BLOCK,
             405, "Method not allowed", reason="only methods that the application uses"),
        Rule("forged-identity", 130, either(*forged, *prefixed), Action.BLOCK, 403, "Header not allowed",
             reason="only the edge may set identity headers; the proxy also removes them"),
        Rule("grpc", 140, starts_with(header("content-type"), GRPC, LOWERCASE), Action.BLOCK, 415, "gRPC is not offered",
             reason="Envoy returns status 200 for every refusal of such a request, also in its log"),
    ]  # fmt: skip


def _marks(application: Application) -> list[Rule]:
    sending = matches(METHOD, "^(POST|PUT|PATCH)$")
    free_text = _paths((*application.upload_paths, *application.model_call_paths, *application.prompt_paths))
    if application.fixed_body_paths:
        free_text = both(free_text, negated(_paths(application.fixed_body_paths)))
    upload = [
        Rule("mark-upload", 200, both(_paths(application.upload_paths), sending), Action.COUNT, labels=(UPLOAD,),
             reason="uploads have a separate size limit and rate"),
    ] if application.upload_paths else []  # fmt: skip
    model_call = [
        Rule("mark-model-call", 210, both(_paths(application.model_call_paths), sending), Action.COUNT,
             labels=(MODEL_CALL,), reason="model calls have a separate rate"),
    ] if application.model_call_paths else []  # fmt: skip
    static = [
        Rule("mark-static", 230, both(_paths(application.static_paths), matches(METHOD, "^(GET|HEAD)$")), Action.COUNT,
             labels=(STATIC,), reason="a browser's first visit loads more than a hundred files at almost no cost"),
    ] if application.static_paths else []  # fmt: skip
    office = [
        Rule("mark-office", 250, from_networks(application.office_networks), Action.COUNT, labels=(OFFICE,),
             reason="many users share an address of these networks, so each is counted by session"),
    ] if application.office_networks is not None else []  # fmt: skip
    free_query = [
        Rule("mark-free-query", 240, _paths(application.query_paths), Action.COUNT, labels=(FREE_QUERY,),
             reason="queries here contain user text, such as the words of a search"),
    ] if application.query_paths else []  # fmt: skip
    return [
        *upload,
        *model_call,
        *free_query,
        Rule("mark-free-text", 220, free_text, Action.COUNT, labels=(FREE_TEXT,),
             reason="bodies here contain user text, on which some managed rules produce false positives"),
        *static,
        *office,
    ]  # fmt: skip


def _lengths(limits: Limits, application: Application) -> list[Rule]:
    length = header("content-length")
    is_upload = labelled(UPLOAD)
    prompt, upload = readable_size(limits.prompt_bytes), readable_size(limits.upload_bytes)
    uploads = [
        Rule("upload-too-large", 310, both(is_upload, matches(length, number_above(limits.upload_bytes))), Action.BLOCK,
             413, f"The file is larger than the limit of {upload}",
             reason="refused before the body is transferred; the proxy enforces the limit if a smaller length is declared"),
    ] if application.upload_paths else []  # fmt: skip
    too_large = matches(length, number_above(limits.prompt_bytes))
    return [
        Rule("length-malformed", 300, both(present(length), negated(matches(length, WELL_FORMED_LENGTH))), Action.BLOCK,
             400, "Malformed content-length", reason="the next rules read the declared length as a number"),
        *uploads,
        Rule("body-too-large", 320, both(negated(is_upload), too_large) if uploads else too_large,
             Action.BLOCK, 413, f"The request is larger than the limit of {prompt}",
             reason="refused before the body is transferred; the proxy enforces the limit if a smaller length is declared"),
        Rule("body-beyond-window", 340, longer_than(BODY_WINDOW, WINDOW_BYTES), Action.COUNT,
             labels=("body:beyond-window",),
             reason="counts bodies of which the managed rules inspected only the first 8,192 bytes"),
    ]  # fmt: skip


def _sizes(limits: Limits) -> list[Rule]:
    is_callback = equals(URI_PATH, LOGIN_CALLBACK)
    callback_limit = max(limits.query_bytes, CALLBACK_QUERY_BYTES)
    single = min(limits.header_bytes, LARGEST_SINGLE_HEADER_BYTES)
    return [
        Rule("cookies-too-large", 400, longer_than(header("cookie"), limits.cookie_bytes), Action.BLOCK, 400,
             f"The cookies are larger than the limit of {limits.cookie_bytes} bytes",
             reason="the load balancer's session can have 11 KB in cookies of 4 KB; a cookie header beyond 8,192 "
             "bytes may be truncated before it is measured: the load balancer's 16 KB and the proxy's limit still apply"),
        Rule("header-too-large", 410, longer_than(headers_but("cookie"), single), Action.BLOCK, 400,
             f"A header is larger than the limit of {single} bytes",
             reason="limits one header; the proxy limits their sum, because only 8,192 bytes of all headers are inspected"),
        Rule("query-too-large", 420, both(negated(is_callback), longer_than(QUERY_STRING, limits.query_bytes)),
             Action.BLOCK, 414, f"The query is larger than the limit of {limits.query_bytes} bytes",
             reason="no page or API call needs more"),
        Rule("callback-query-too-large", 430, both(is_callback, longer_than(QUERY_STRING, callback_limit)),
             Action.BLOCK, 414, f"The query is larger than the limit of {callback_limit} bytes",
             reason="the login callback contains a code and an encrypted state"),
        Rule("path-too-long", 440, longer_than(URI_PATH, limits.uri_bytes), Action.BLOCK, 414,
             f"The path is longer than the limit of {limits.uri_bytes} bytes", reason="no path needs more"),
        Rule("headers-beyond-window", 450, longer_than(HEADER_WINDOW, WINDOW_BYTES), Action.COUNT,
             labels=("headers:beyond-window",),
             reason="counts requests with headers that no rule here could inspect; the proxy checks them"),
    ]  # fmt: skip


def _rates(limits: Limits, application: Application) -> list[Rule]:
    """Rate limits for each client address and each session.

    An address can be a whole office, so its limits allow many people; they also apply to requests with a forged session
    cookie. A session is one person. Only its cookie is the key, without the address, so a session that is used from
    many addresses still counts as one. Requests without the cookie do not count towards a session limit.

    Addresses of the office networks have separate limits instead of those for any other address: a client can log in again
    for another session, so the session alone would be no limit there. AWS allows ten rate rules for each web ACL, so pages and
    static files share one of them.
    """
    session = f"{application.session_cookie}-0"
    marked = {
        "uploads": labelled(UPLOAD) if application.upload_paths else None,
        "model-calls": labelled(MODEL_CALL) if application.model_call_paths else None,
        "static": labelled(STATIC) if application.static_paths else None,
    }
    of: dict[str, Statement | None] = {kind: one for kind, one in marked.items() if one is not None}
    of["pages"] = negated(either(*filter(None, of.values()))) if of else None
    costly = [statement for kind in ("uploads", "model-calls") if (statement := of.get(kind)) is not None]
    of["requests"] = negated(either(*costly)) if costly else None
    offices = application.office_networks is not None
    table = [
        (500, "uploads", "address", limits.address_uploads_per_window),
        (510, "model-calls", "address", limits.address_model_calls_per_window),
        (520, "pages", "address", limits.address_pages_per_window),
        (530, "static", "address", limits.address_static_per_window),
        *(
            (
                (540, "uploads", "office", limits.office_uploads_per_window),
                (580, "model-calls", "office", limits.office_model_calls_per_window),
                (590, "requests", "office", limits.office_requests_per_window),
            )
            if offices
            else ()
        ),
        (550, "uploads", "session", limits.uploads_per_window),
        (560, "model-calls", "session", limits.model_calls_per_window),
        (570, "pages", "session", limits.pages_per_window),
    ]
    return [
        Rule(
            f"rate-{kind}-{key}",
            priority,
            more_often_than(
                limit,
                window_seconds=RATE_WINDOW_SECONDS,
                cookie=session if key == "session" else None,
                of=_of_network(of[kind], key, offices=offices),
            ),
            Action.BLOCK,
            429,
            f"Too many requests: at most {limit} in five minutes",
            headers=(("retry-after", RETRY_AFTER_SECONDS),),
            reason=f"at most {limit} {kind} in five minutes for one {'address of an office' if key == 'office' else key}",
        )
        for priority, kind, key, limit in table
        if kind in of
    ]


def _of_network(kind: Statement | None, key: str, *, offices: bool) -> Statement | None:
    """The requests that a rate rule counts: of the office networks, of all others, or of both for a session."""
    if not offices or key == "session":
        return kind
    network = labelled(OFFICE) if key == "office" else negated(labelled(OFFICE))
    return network if kind is None else both(kind, network)


def firewall_rules(limits: Limits, application: Application) -> tuple[Rule, ...]:
    """The whole table, by priority."""
    rules = [
        *_guards(application),
        *_marks(application),
        *_lengths(limits, application),
        *_sizes(limits),
        *_rates(limits, application),
        *managed_rules({Part.BODY: FREE_TEXT, **({Part.QUERY: FREE_QUERY} if application.query_paths else {})}),
    ]
    return tuple(sorted(rules, key=lambda rule: rule.priority))
