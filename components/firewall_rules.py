"""The firewall's rules: one table that people can read, in the order in which requests meet it.

Every rule has a number of its own, so moving lines in this file changes nothing. A rule that blocks ends the request;
one that counts marks it for later rules (labels) or for the people who watch. What an ALB's firewall cannot see is
left to the proxy and said so: a body beyond its first 8,192 bytes, and how long a body without a declared length is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.edge_rules import LOGIN_CALLBACK
from components.firewall_lengths import WELL_FORMED_LENGTH, number_above, readable_size
from components.firewall_managed import managed_rules
from components.firewall_statements import (
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
from components.firewall_table import Action, Rule

WINDOW_BYTES = 8192
"""What an ALB shows the firewall of a body, and of all headers together."""

CALLBACK_QUERY_BYTES = 8192
"""The identity provider's answer carries a code and the load balancer's own encrypted state."""

RATE_WINDOW_SECONDS = 300
RETRY_AFTER_SECONDS = "60"

CANARY_PATH = "/firewall-canary"

TRUSTED_PREFIXES = ("x-amzn-oidc-", "x-envoy-")
"""Names that begin like this are the edge's and the proxy's, whatever follows."""

GRPC = "application/grpc"

LARGEST_SINGLE_HEADER_BYTES = 6144
"""Three quarters of the window: more could not be told from a header that the window cuts off."""

UPLOAD, MODEL_CALL, FREE_TEXT = "path:upload", "path:model-call", "path:free-text"

AMBIGUOUS_PATH = r"//|\\|/\.{1,2}(/|$)|%(00|2[5dDeEfF]|3[0-9]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aAeE])"
"""Other spellings of a path: doubled slashes, dot segments, encoded separators and percent signs, and characters
that need no encoding. No client writes them by accident, and each could mean one path here and another one behind."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the table is made from; every number comes from the settings."""

    prompt_bytes: int
    upload_bytes: int
    cookie_bytes: int
    header_bytes: int
    query_bytes: int
    uri_bytes: int
    pages_per_window: int
    uploads_per_window: int
    model_calls_per_window: int


@dataclass(frozen=True, slots=True)
class Application:
    """What the table knows about the application and the edge."""

    upload_paths: tuple[str, ...]
    model_call_paths: tuple[str, ...]
    prompt_paths: tuple[str, ...]
    methods: tuple[str, ...]
    trusted_headers: tuple[str, ...]
    session_cookie: str


def _paths(prefixes: Sequence[str]) -> Statement:
    return either(*(starts_with(URI_PATH, prefix) for prefix in sorted(set(prefixes))))


def _guards(application: Application) -> list[Rule]:
    forged = [present(header(name)) for name in sorted({name.lower() for name in application.trusted_headers})]
    prefixed = [starts_with(header_names(), prefix, LOWERCASE) for prefix in TRUSTED_PREFIXES]
    return [
        Rule("canary", 100, equals(URI_PATH, CANARY_PATH), Action.BLOCK, 403, "Blocked on purpose: this is the canary",
             reason="monitoring asks for this path: answer and metric show that the firewall stands in the way"),
        Rule("ambiguous-path", 110, matches(URI_PATH, AMBIGUOUS_PATH), Action.BLOCK, 400, "Ambiguous path",
             reason="every later rule, and every path rule behind, may take a path as it is written"),
        Rule("method", 120, negated(matches(METHOD, f"^({'|'.join(sorted(set(application.methods)))})$")), Action.BLOCK,
             405, "Method not allowed", reason="only methods that the application uses"),
        Rule("forged-identity", 130, either(*forged, *prefixed), Action.BLOCK, 403, "Header not allowed",
             reason="identity headers are the edge's to set; the proxy strips them again"),
        Rule("grpc", 140, starts_with(header("content-type"), GRPC, LOWERCASE), Action.BLOCK, 415, "gRPC is not offered",
             reason="the proxy's Envoy answers every refusal of such a request with 200, in its log too"),
    ]  # fmt: skip


def _marks(application: Application) -> list[Rule]:
    sending = matches(METHOD, "^(POST|PUT|PATCH)$")
    free_text = (*application.upload_paths, *application.model_call_paths, *application.prompt_paths)
    return [
        Rule("mark-upload", 200, both(_paths(application.upload_paths), sending), Action.COUNT, labels=(UPLOAD,),
             reason="uploads have a size limit and a rate of their own"),
        Rule("mark-model-call", 210, both(_paths(application.model_call_paths), sending), Action.COUNT,
             labels=(MODEL_CALL,), reason="model calls have a rate of their own"),
        Rule("mark-free-text", 220, _paths(free_text), Action.COUNT, labels=(FREE_TEXT,),
             reason="bodies here are what people wrote: some managed rules take ordinary prompts for attacks"),
    ]  # fmt: skip


def _lengths(limits: Limits) -> list[Rule]:
    length = header("content-length")
    is_upload = labelled(UPLOAD)
    prompt, upload = readable_size(limits.prompt_bytes), readable_size(limits.upload_bytes)
    return [
        Rule("length-malformed", 300, both(present(length), negated(matches(length, WELL_FORMED_LENGTH))), Action.BLOCK,
             400, "Malformed content-length", reason="the next rules read the declared length as a number"),
        Rule("upload-too-large", 310, both(is_upload, matches(length, number_above(limits.upload_bytes))), Action.BLOCK,
             413, f"The file is larger than the limit of {upload}",
             reason="refused before a byte of the body is carried; the proxy holds those to it that declare less"),
        Rule("body-too-large", 320, both(negated(is_upload), matches(length, number_above(limits.prompt_bytes))),
             Action.BLOCK, 413, f"The request is larger than the limit of {prompt}",
             reason="refused before a byte of the body is carried; the proxy holds those to it that declare less"),
        Rule("length-missing", 330, both(matches(METHOD, "^(POST|PUT|PATCH)$"), negated(present(length))), Action.BLOCK,
             411, "A content-length is required",
             reason="an undeclared length cannot be judged here; the proxy asks for one too"),
        Rule("body-beyond-window", 340, longer_than(BODY_WINDOW, WINDOW_BYTES), Action.COUNT,
             labels=("body:beyond-window",),
             reason="shows how many bodies the managed rules saw only the first 8,192 bytes of"),
    ]  # fmt: skip


def _sizes(limits: Limits) -> list[Rule]:
    is_callback = equals(URI_PATH, LOGIN_CALLBACK)
    callback_limit = max(limits.query_bytes, CALLBACK_QUERY_BYTES)
    single = min(limits.header_bytes, LARGEST_SINGLE_HEADER_BYTES)
    return [
        Rule("cookies-too-large", 400, longer_than(header("cookie"), limits.cookie_bytes), Action.BLOCK, 400,
             f"The cookies are larger than the limit of {limits.cookie_bytes} bytes",
             reason="the load balancer's session alone may take 11 KB in shards of 4 KB"),
        Rule("header-too-large", 410, longer_than(headers_but("cookie"), single), Action.BLOCK, 400,
             f"A header is larger than the limit of {single} bytes",
             reason="one header; their sum is the proxy's to limit, since only 8,192 bytes of all headers are seen"),
        Rule("query-too-large", 420, both(negated(is_callback), longer_than(QUERY_STRING, limits.query_bytes)),
             Action.BLOCK, 414, f"The query is larger than the limit of {limits.query_bytes} bytes",
             reason="no page or API call needs more"),
        Rule("callback-query-too-large", 430, both(is_callback, longer_than(QUERY_STRING, callback_limit)),
             Action.BLOCK, 414, f"The query is larger than the limit of {callback_limit} bytes",
             reason="the login callback carries a code and an encrypted state"),
        Rule("path-too-long", 440, longer_than(URI_PATH, limits.uri_bytes), Action.BLOCK, 414,
             f"The path is longer than the limit of {limits.uri_bytes} bytes", reason="no path needs more"),
        Rule("headers-beyond-window", 450, longer_than(HEADER_WINDOW, WINDOW_BYTES), Action.COUNT,
             labels=("headers:beyond-window",),
             reason="shows how many requests had headers that no rule here could see; the proxy judges those"),
    ]  # fmt: skip


def _rates(limits: Limits, application: Application) -> list[Rule]:
    """The same limits for one address and for one session: a session may wander, an address may be a whole office."""
    kinds = {
        "uploads": (labelled(UPLOAD), limits.uploads_per_window),
        "model-calls": (labelled(MODEL_CALL), limits.model_calls_per_window),
        "pages": (negated(either(labelled(UPLOAD), labelled(MODEL_CALL))), limits.pages_per_window),
    }
    who = {"address": None, "session": f"{application.session_cookie}-0"}
    return [
        Rule(
            f"rate-{kind}-{key}",
            500 + 50 * column + 10 * row,
            more_often_than(limit, window_seconds=RATE_WINDOW_SECONDS, cookie=cookie, of=which),
            Action.BLOCK,
            429,
            f"Too many requests: at most {limit} in five minutes",
            headers=(("retry-after", RETRY_AFTER_SECONDS),),
            reason=f"at most {limit} {kind} in five minutes for one {key}",
        )
        for column, (key, cookie) in enumerate(who.items())
        for row, (kind, (which, limit)) in enumerate(kinds.items())
    ]


def firewall_rules(limits: Limits, application: Application) -> tuple[Rule, ...]:
    """The whole table, by priority."""
    rules = [
        *_guards(application),
        *_marks(application),
        *_lengths(limits),
        *_sizes(limits),
        *_rates(limits, application),
        *managed_rules(FREE_TEXT),
    ]
    return tuple(sorted(rules, key=lambda rule: rule.priority))
