"""What has to happen to each of these requests in both real stacks: the verdict, and the rule that decides."""

from __future__ import annotations

from dataclasses import dataclass

from policies.guardrails.topology.http.requests import Identity, Request, Result

MEBIBYTE = 1024 * 1024
ALLOWED = "allowed"
"""Stands for a claim value that the stack lets in."""
CHAT = "/api/chat/completions"
FILES = "/api/v1/files/"


def someone(*groups: str) -> Identity:
    """Someone who has logged in."""
    return Identity({"groups": list(groups), "email": "someone@example.com"})


MEMBER = someone(ALLOWED)
STRANGER = someone("other-people")


@dataclass(frozen=True)
class Row:
    """One request; ``{host}`` stands for the stack's own name."""

    name: str
    request: Request
    result: Result
    status: int | None
    rule: str
    """A pattern for the deciding rule's name."""


def served(name: str, method: str, path: str, rule: str, **more: object) -> Row:
    """A member's request that reaches the application."""
    return row(name, method, path, None, rule, result=Result.SERVED, **{"identity": MEMBER, **more})


def row(
    name: str,
    method: str,
    path: str,
    status: int | None,
    rule: str,
    *,
    result: Result = Result.ANSWERED,
    **more: object,
) -> Row:
    """A request that is answered on its way."""
    url = path if "://" in path else f"https://{{host}}{path}"
    return Row(name, Request(method, url, **more), result, status, rule)  # pyright: ignore[reportArgumentType] (fields by name)


FREE_TEXT_THREATS = frozenset(
    {
        "AWSManagedRulesCommonRuleSet:CrossSiteScripting_BODY",
        "AWSManagedRulesCommonRuleSet:EC2MetaDataSSRF_BODY",
        "AWSManagedRulesCommonRuleSet:GenericLFI_BODY",
        "AWSManagedRulesCommonRuleSet:GenericRFI_BODY",
        "AWSManagedRulesKnownBadInputsRuleSet:JavaDeserializationRCE_BODY",
        "AWSManagedRulesKnownBadInputsRuleSet:Log4JRCE_BODY",
        "AWSManagedRulesKnownBadInputsRuleSet:ReactJSRCE_BODY",
    }
)
"""What AWS's rules take the bodies of ordinary prompts and documents for."""
FREE_QUERY_THREATS = frozenset(
    {
        "AWSManagedRulesCommonRuleSet:CrossSiteScripting_QUERYARGUMENTS",
        "AWSManagedRulesCommonRuleSet:EC2MetaDataSSRF_QUERYARGUMENTS",
        "AWSManagedRulesCommonRuleSet:GenericLFI_QUERYARGUMENTS",
        "AWSManagedRulesCommonRuleSet:GenericRFI_QUERYARGUMENTS",
        "AWSManagedRulesCommonRuleSet:RestrictedExtensions_QUERYARGUMENTS",
        "AWSManagedRulesKnownBadInputsRuleSet:JavaDeserializationRCE_QUERYSTRING",
        "AWSManagedRulesKnownBadInputsRuleSet:Log4JRCE_QUERYSTRING",
    }
)
"""What they take the words of an ordinary search for."""


def header(name: str, value: str = "x") -> tuple[tuple[str, str], ...]:
    """One header."""
    return ((name, value),)


SHARDS = tuple((f"AWSELBAuthSessionCookie-{number}", "x" * 3900) for number in range(3))
"""The session of someone with many groups: more than the firewall sees of all headers."""
HIDING = (("cookie", "; ".join(f"{name}={value}" for name, value in SHARDS)),)
"""The same as the first header of a request."""

NOT_DECIDED = {"cookies-too-large": "the load balancer's own limit of a header is as large"}
"""Rules of the web ACL that decide no request of the real stacks, and why."""

TABLE: tuple[Row, ...] = (
    # Pages, API, sockets: who gets in
    row("a page without a session goes to the login", "GET", "/", 302, "edge-page-*"),
    row("a deep page without a session goes to the login", "GET", "/c/1234", 302, "edge-page-*"),
    row("an API call without a session is refused", "GET", "/api/v1/chats/", 401, "edge-api-*"),
    row("a model call without a session is refused", "POST", CHAT, 401, "edge-api-*", body_bytes=100),
    row("a socket without a session is refused", "GET", "/ws/socket.io/", 401, "edge-api-*", headers=header("upgrade", "websocket")),
    row("a static file without a session is refused", "GET", "/static/logo.png", 401, "edge-api-*"),
    row("the login's answer is taken by the load balancer", "GET", "/oauth2/idpresponse?code=a&state=b", 302, "edge-page-*"),
    served("a member gets a page", "GET", "/", "edge-page-*"),
    served("a member gets a conversation", "GET", "/c/1234", "edge-page-*"),
    served("a member calls the API", "GET", "/api/v1/chats/", "edge-api-*"),
    served("a member calls a model", "POST", CHAT, "edge-api-*", body_bytes=4000),
    served("a member opens a socket", "GET", "/ws/socket.io/?EIO=4", "edge-api-*", headers=header("upgrade", "websocket")),
    served("a member uploads a file", "POST", FILES, "edge-api-*", body_bytes=30 * MEBIBYTE),
    served("a member deletes a conversation", "DELETE", "/api/v1/chats/1", "edge-api-*"),
    row("a stranger who has logged in is refused", "GET", "/", 403, "proxy authorization", identity=STRANGER),
    row("a stranger gets no model either", "POST", CHAT, 403, "proxy authorization", identity=STRANGER, body_bytes=10),
    row("someone without any group is refused", "GET", "/", 403, "proxy authorization", identity=someone()),
    row("a preflight without a session is refused", "OPTIONS", CHAT, 401, "edge-api-*"),
    row("a stranger does not administer", "GET", "/admin", 403, "proxy authorization", identity=STRANGER),
    row("a logout ends the session", "GET", "/logout", 302, "proxy logout", identity=MEMBER),
    row("a bearer token is no session", "GET", "/api/v1/chats/", 401, "edge-api-*", identity=Identity({}, token=True)),
    # Hosts, paths, ports
    row("another host finds nothing", "GET", "https://other.example.com/", 404, "edge-https"),
    row("the load balancer's own name finds nothing", "GET", "https://lb.eu-west-1.elb.amazonaws.com/", 404, "edge-https"),
    row("an address as host finds nothing", "GET", "https://203.0.113.9/", 404, "edge-https"),
    row("an undeclared path finds nothing", "GET", "/wp-login.php", 404, "edge-https", identity=MEMBER),
    row("metrics are hidden", "GET", "/metrics", 404, "edge-blocked-*", identity=MEMBER),
    row("health is hidden", "GET", "/health", 404, "edge-blocked-*", identity=MEMBER),
    row("the API's documentation is hidden", "GET", "/docs", 404, "edge-blocked-*", identity=MEMBER),
    row("the schema is hidden", "GET", "/openapi.json", 404, "edge-blocked-*", identity=MEMBER),
    row("health below health is hidden", "GET", "/health/db", 404, "edge-blocked-*", identity=MEMBER),
    row("the accounts' interface is hidden", "GET", "/api/v1/scim/v2/Users", 404, "edge-blocked-*", identity=MEMBER),
    row("an unused back end is hidden", "POST", "/ollama/api/generate", 404, "edge-blocked-*", identity=MEMBER, body_bytes=10),
    row("the application's own login is hidden", "GET", "/oauth/oidc/callback?code=a", 404, "edge-blocked-*", identity=MEMBER),
    row("capital letters make another path", "GET", "/API/v1/chats/", 404, "edge-https", identity=MEMBER),
    row("a slash more is another path than the login's answer", "GET", "/oauth2/idpresponse/?code=a", 404, "edge-https"),
    row("models are not offered to people by their own path", "POST", "/general/v1/chat/completions", 404, "edge-https", identity=MEMBER, body_bytes=10),
    row("machine clients find nothing until they are configured", "POST", "https://models.example.com/general/v1/chat/completions", 404, "edge-https", identity=Identity({}, token=True), body_bytes=10),
    row("the database's download is hidden", "GET", "/api/v1/utils/db/download", 404, "edge-blocked-*", identity=MEMBER),
    row("plain HTTP is redirected", "GET", "http://{host}/c/1?x=1", 301, "edge-redirect"),
    row("plain HTTP for another host finds nothing", "GET", "http://other.example.com/", 404, "edge-http"),
    row("no other port answers", "GET", "https://{host}:8443/", None, "no listener", result=Result.DROPPED),
    row("the application's port does not answer", "GET", "http://{host}:8080/", None, "no listener", result=Result.DROPPED),
    # Forged headers
    row("claims from a client are blocked", "GET", "/", 403, "forged-identity", headers=header("X-Amzn-Oidc-Data")),
    row("an identity from a client is blocked", "GET", "/", 403, "forged-identity", headers=header("x-amzn-oidc-identity")),
    row("an empty header is refused by the load balancer", "GET", "/", 400, "desync mitigation", headers=header("x-user-email", "")),
    row("a name that begins like the edge's is blocked", "GET", "/", 403, "forged-identity", headers=header("X-AMZN-OIDC-New")),
    row("a forged header is blocked before a hidden path is", "GET", "/metrics", 403, "forged-identity", headers=header("x-amzn-oidc-data")),
    row("a forged header is blocked before a redirect", "GET", "http://{host}/", 403, "forged-identity", headers=header("x-amzn-oidc-identity")),
    row("a forged header decides before the size of an upload", "POST", FILES, 403, "forged-identity", headers=header("x-user-email"), body_bytes=60 * MEBIBYTE),
    served("an address that a client claims is only passed on", "GET", "/", "edge-page-*", headers=header("x-forwarded-for", "10.20.0.9")),
    row("a role from a client is blocked", "GET", "/", 403, "forged-identity", headers=header("X-User-Role", "admin"), identity=MEMBER),
    row("a proxy's header from a client is blocked", "GET", "/", 403, "forged-identity", headers=header("x-envoy-original-path")),
    row("gRPC is not offered", "POST", "/", 415, "grpc", headers=header("content-type", "Application/GRPC+proto"), identity=MEMBER),
    # Methods and ambiguous paths
    row("the load balancer knows no TRACE", "TRACE", "/", 405, "unsupported method"),
    row("an unusual method is blocked", "PROPFIND", "/", 405, "method"),
    row("a method in small letters is another one", "get", "/", 405, "method", identity=MEMBER),
    row("an ambiguous path decides before the method", "PROPFIND", "//x", 400, "ambiguous-path"),
    row("a tunnel is blocked", "CONNECT", "/", 405, "method"),
    row("a doubled slash is blocked", "GET", "//api/v1/chats/", 400, "ambiguous-path"),
    row("an encoded slash is blocked", "GET", "/api/%2e%2e/metrics", 400, "ambiguous-path"),
    row("dots are blocked", "GET", "/static/../metrics", 400, "ambiguous-path"),
    row("a null byte is blocked", "GET", "/c/%00", 400, "ambiguous-path", identity=MEMBER),
    row("a backslash is blocked", "GET", "/c\\..\\metrics", 400, "ambiguous-path", identity=MEMBER),
    served("a space in a path is none of that", "GET", "/c/a%20b", "edge-page-*"),
    served("dots in a query are none of that", "GET", "/?next=/a/../b", "edge-page-*"),
    row("the canary answers", "GET", "/firewall-canary", 403, "canary"),
    row("the canary answers whoever asks, where nothing else would", "GET", "http://other.example.com/firewall-canary", 403, "canary", identity=MEMBER),
    # Sizes
    row("a prompt too large is refused", "POST", CHAT, 413, "body-too-large", identity=MEMBER, body_bytes=3 * MEBIBYTE),
    row("an upload too large is refused", "POST", FILES, 413, "upload-too-large", identity=MEMBER, body_bytes=60 * MEBIBYTE),
    row("a prompt without a length is refused", "POST", CHAT, 411, "proxy length required", identity=MEMBER, body_bytes=10, declares_length=False),
    row("a length that is not a number is refused by the load balancer", "POST", CHAT, 400, "desync mitigation", identity=MEMBER, headers=header("content-length", "1e3")),
    row("a negative length is refused by the load balancer", "POST", CHAT, 400, "desync mitigation", identity=MEMBER, headers=header("content-length", "-1")),
    row("a length that no body can have is refused", "POST", CHAT, 400, "length-malformed", identity=MEMBER, headers=header("content-length", "9" * 13)),
    row("leading zeros hide no length", "POST", CHAT, 413, "body-too-large", identity=MEMBER, headers=header("content-length", "000002097153")),
    row("two different content lengths are refused by the load balancer", "POST", CHAT, 400, "desync mitigation", identity=MEMBER, body_bytes=10, headers=header("transfer-encoding", "chunked")),
    row("a body with GET is refused by the load balancer", "GET", "/", 400, "desync mitigation", identity=MEMBER, body_bytes=10),
    row("a body in chunks with GET is refused too", "GET", "/", 400, "desync mitigation", identity=MEMBER, body_bytes=10, declares_length=False),
    served("a prompt of exactly the limit fits", "POST", CHAT, "edge-api-*", body_bytes=2 * MEBIBYTE),
    row("one byte more does not", "POST", CHAT, 413, "body-too-large", identity=MEMBER, body_bytes=2 * MEBIBYTE + 1),
    served("an upload of exactly the limit fits", "POST", FILES, "edge-api-*", body_bytes=50 * MEBIBYTE),
    row("one byte more than an upload does not", "POST", FILES, 413, "upload-too-large", identity=MEMBER, body_bytes=50 * MEBIBYTE + 1),
    served("a recording to transcribe is an upload", "POST", "/api/v1/audio/transcriptions", "edge-api-*", body_bytes=30 * MEBIBYTE),
    row("no other path takes as much", "PUT", "/api/v1/chats/1", 413, "body-too-large", identity=MEMBER, body_bytes=30 * MEBIBYTE),
    row("a large body decides before its sender", "POST", CHAT, 413, "body-too-large", body_bytes=3 * MEBIBYTE),
    row("a query too long is refused", "GET", f"/?q={'x' * 5000}", 414, "query-too-large", identity=MEMBER),
    row("a path too long is refused", "GET", f"/c/{'x' * 3000}", 414, "path-too-long", identity=MEMBER),
    row("a path of exactly the limit fits, and asks for a login", "GET", f"/c/{'x' * 2045}", 302, "edge-page-*"),
    row("the login's answer may be long", "GET", f"/oauth2/idpresponse?code={'x' * 6000}&state=b", 302, "edge-page-*"),
    row("yet not without end", "GET", f"/oauth2/idpresponse?code={'x' * 9000}&state=b", 414, "callback-query-too-large"),
    served("a header of exactly the limit fits", "GET", "/", "edge-page-*", headers=header("x-large", "x" * 6144)),
    row("many large headers are the proxy's to refuse", "GET", "/", 431, "proxy header limit", identity=MEMBER, headers=tuple((f"x-{n}", "x" * 5000) for n in range(8))),
    row("more headers than the load balancer takes", "GET", "/", 400, "header limit", headers=tuple((f"x-{n}", "x" * 6000) for n in range(12))),
    row("a header too large is refused", "GET", "/", 400, "header-too-large", identity=MEMBER, headers=header("x-large", "x" * 7000)),
    row("a header beyond the load balancer is refused", "GET", "/", 400, "header limit", headers=header("x-large", "x" * 17000)),
    row("a request line beyond the load balancer is refused", "GET", f"/{'x' * 17000}", 414, "request line limit"),
    served("session cookies of every size fit", "GET", "/", "edge-page-*", cookies=tuple((f"AWSELBAuthSessionCookie-{n}", "x" * 3900) for n in range(3))),
    # Beyond the 8,192 bytes and 200 headers that the firewall sees
    served("large cookies hide no length of a prompt", "POST", CHAT, "edge-api-*", body_bytes=4000, cookies=SHARDS),
    served("large cookies hide no length of an upload", "POST", FILES, "edge-api-*", body_bytes=30 * MEBIBYTE, cookies=SHARDS),
    served("large cookies before every other header pass", "PUT", "/api/v1/chats/1", "edge-api-*", body_bytes=100, headers=HIDING),
    served("205 headers pass", "POST", CHAT, "edge-api-*", body_bytes=100, headers=tuple((f"x-{n}", "1") for n in range(205))),
    row("a length that large cookies hide is the proxy's to refuse", "POST", CHAT, 413, "proxy body limit", identity=MEMBER, body_bytes=3 * MEBIBYTE, cookies=SHARDS),
    row("no length behind large cookies is the proxy's to refuse", "POST", CHAT, 411, "proxy length required", identity=MEMBER, body_bytes=10, cookies=SHARDS, declares_length=False),
    served("a forged header that large cookies hide is the proxy's to strip", "GET", "/", "edge-page-*", headers=(*HIDING, ("x-user-email", "admin@example.com"))),
    row("a forged header before large cookies is blocked", "GET", "/", 403, "forged-identity", headers=(("x-user-email", "admin@example.com"), *HIDING)),
    # Rates and attacks
    row("too many model calls wait", "POST", CHAT, 429, "rate-model-calls-address", body_bytes=10, exceeds=frozenset({"rate-model-calls-address"})),
    row("too many uploads wait", "POST", FILES, 429, "rate-uploads-address", body_bytes=10, exceeds=frozenset({"rate-uploads-address"})),
    row("too many pages wait", "GET", "/", 429, "rate-pages-address", exceeds=frozenset({"rate-pages-address"})),
    row("too many model calls of one session wait, from whatever address", "POST", CHAT, 429, "rate-model-calls-session", identity=MEMBER, body_bytes=10, exceeds=frozenset({"rate-model-calls-session"})),
    row("without a session none is counted, and none gets in", "POST", CHAT, 401, "edge-api-*", body_bytes=10, exceeds=frozenset({"rate-model-calls-session"})),
    served("the limit of pages does not hold up a model call", "POST", CHAT, "edge-api-*", body_bytes=10, exceeds=frozenset({"rate-pages-address"})),
    row("the list of files is a page", "GET", FILES, 429, "rate-pages-address", identity=MEMBER, exceeds=frozenset({"rate-pages-address"})),
    row("a first visit's files have a limit of their own", "GET", "/_app/immutable/chunks/a.js", 429, "rate-static-address", exceeds=frozenset({"rate-static-address"})),
    served("an office that reads files may still open pages", "GET", "/", "edge-page-*", exceeds=frozenset({"rate-static-address"})),
    served("the limit of pages does not hold up a file", "GET", "/static/logo.png", "edge-api-*", exceeds=frozenset({"rate-pages-address", "rate-pages-session"})),
    row("what is written to a static path is a page", "POST", "/static/logo.png", 429, "rate-pages-address", body_bytes=10, exceeds=frozenset({"rate-pages-address"})),
    row("too many pages of one session wait", "GET", "/", 429, "rate-pages-session", identity=MEMBER, exceeds=frozenset({"rate-pages-session"})),
    row("an invented session still meets the limit of its address", "GET", "/", 429, "rate-pages-address", cookies=(("AWSELBAuthSessionCookie-0", "invented"),), exceeds=frozenset({"rate-pages-address"})),
    row("a size decides before a rate", "POST", CHAT, 413, "body-too-large", body_bytes=3 * MEBIBYTE, exceeds=frozenset({"rate-model-calls-address"})),
    row("a rate decides before an address's name", "GET", "/", 429, "rate-pages-address", exceeds=frozenset({"rate-pages-address"}), threats=frozenset({"AWSManagedRulesAmazonIpReputationList:AWSManagedIPReputationList"})),
    served("the limit of uploads does not hold up a page", "GET", "/", "edge-page-*", exceeds=frozenset({"rate-uploads-address"})),
    row("a known bad input in a path is blocked", "GET", "/", 403, "known-bad-inputs", threats=frozenset({"AWSManagedRulesKnownBadInputsRuleSet:Log4JRCE_URIPATH"})),
    row("a bad address is blocked", "GET", "/", 403, "ip-reputation", threats=frozenset({"AWSManagedRulesAmazonIpReputationList:AWSManagedIPReputationList"})),
    served("a prompt about a file path passes", "POST", CHAT, "edge-api-*", body_bytes=10, threats=frozenset({"AWSManagedRulesCommonRuleSet:GenericLFI_BODY"})),
    served("an uploaded document may hold all of that", "POST", FILES, "edge-api-*", body_bytes=10, threats=FREE_TEXT_THREATS),
    row("free text excuses the body alone", "POST", CHAT, 403, "core", identity=MEMBER, body_bytes=10, threats=frozenset({"AWSManagedRulesCommonRuleSet:GenericLFI_BODY", "AWSManagedRulesCommonRuleSet:GenericLFI_URIPATH"})),
    row("an attack in a header is blocked there too", "POST", CHAT, 403, "known-bad-inputs", identity=MEMBER, body_bytes=10, threats=frozenset({"AWSManagedRulesKnownBadInputsRuleSet:Log4JRCE_HEADER"})),
    served("a body beyond AWS's own limit is ours to judge", "POST", "/api/v1/auths/signin", "edge-api-*", body_bytes=20_000, threats=frozenset({"AWSManagedRulesCommonRuleSet:SizeRestrictions_BODY"})),
    row("the login's answer is not too long for AWS's own limit", "GET", f"/oauth2/idpresponse?code={'x' * 3000}&state=b", 302, "edge-page-*", threats=frozenset({"AWSManagedRulesCommonRuleSet:SizeRestrictions_QUERYSTRING"})),
    served("settings of one's own are free text", "POST", "/api/v1/users/user/settings/update", "edge-api-*", body_bytes=10, threats=FREE_TEXT_THREATS),
    served("a page to print is free text", "POST", "/api/v1/utils/pdf", "edge-api-*", body_bytes=10, threats=FREE_TEXT_THREATS),
    row("too many uploads of one session wait", "POST", FILES, 429, "rate-uploads-session", identity=MEMBER, body_bytes=10, exceeds=frozenset({"rate-uploads-session"})),
    row("a Log4j lookup in another body is blocked", "POST", "/api/v1/auths/signin", 403, "log4j-body", body_bytes=10, threats=frozenset({"AWSManagedRulesKnownBadInputsRuleSet:Log4JRCE_BODY"})),
    row("a serialized Java object in another body is blocked", "POST", "/api/v1/auths/signin", 403, "java-deserialization-body", body_bytes=10, threats=frozenset({"AWSManagedRulesKnownBadInputsRuleSet:JavaDeserializationRCE_BODY"})),
    row("a React payload in another body is blocked", "POST", "/api/v1/auths/signin", 403, "react-body", body_bytes=10, threats=frozenset({"AWSManagedRulesKnownBadInputsRuleSet:ReactJSRCE_BODY"})),
    row("an address to include in another body is blocked", "POST", "/api/v1/auths/signin", 403, "remote-inclusion-body", body_bytes=10, threats=frozenset({"AWSManagedRulesCommonRuleSet:GenericRFI_BODY"})),
    row("the metadata service's address in another body is blocked", "POST", "/api/v1/auths/signin", 403, "metadata-body", body_bytes=10, threats=frozenset({"AWSManagedRulesCommonRuleSet:EC2MetaDataSSRF_BODY"})),
    row("a script in another body is blocked", "POST", "/api/v1/auths/signin", 403, "scripting-body", body_bytes=10, threats=frozenset({"AWSManagedRulesCommonRuleSet:CrossSiteScripting_BODY"})),
    row("a file path in another body is blocked", "POST", "/api/v1/auths/signin", 403, "file-inclusion-body", body_bytes=10, threats=frozenset({"AWSManagedRulesCommonRuleSet:GenericLFI_BODY"})),
    served("a search for words that look like an attack passes", "GET", "/api/v1/chats/search?text=x", "edge-api-*", threats=FREE_QUERY_THREATS),
    served("so does a first prompt in the start page's address", "GET", "/?q=x", "edge-page-*", threats=FREE_QUERY_THREATS),
    row("free text in a query excuses the query alone", "GET", "/api/v1/chats/search?text=x", 403, "core", identity=MEMBER, threats=frozenset({"AWSManagedRulesCommonRuleSet:GenericLFI_URIPATH"})),
    row("a Log4j lookup in another query is blocked", "GET", "/api/config?x=y", 403, "log4j-query", threats=frozenset({"AWSManagedRulesKnownBadInputsRuleSet:Log4JRCE_QUERYSTRING"})),
    row("a serialized Java object in another query is blocked", "GET", "/api/config?x=y", 403, "java-deserialization-query", threats=frozenset({"AWSManagedRulesKnownBadInputsRuleSet:JavaDeserializationRCE_QUERYSTRING"})),
    row("a file path in another query is blocked", "GET", "/api/config?x=y", 403, "file-inclusion-query", threats=frozenset({"AWSManagedRulesCommonRuleSet:GenericLFI_QUERYARGUMENTS"})),
    row("an address to include in another query is blocked", "GET", "/api/config?x=y", 403, "remote-inclusion-query", threats=frozenset({"AWSManagedRulesCommonRuleSet:GenericRFI_QUERYARGUMENTS"})),
    row("the metadata service's address in another query is blocked", "GET", "/api/config?x=y", 403, "metadata-query", threats=frozenset({"AWSManagedRulesCommonRuleSet:EC2MetaDataSSRF_QUERYARGUMENTS"})),
    row("a script in another query is blocked", "GET", "/api/config?x=y", 403, "scripting-query", threats=frozenset({"AWSManagedRulesCommonRuleSet:CrossSiteScripting_QUERYARGUMENTS"})),
    row("the name of a system file in another query is blocked", "GET", "/api/config?x=y", 403, "extension-query", threats=frozenset({"AWSManagedRulesCommonRuleSet:RestrictedExtensions_QUERYARGUMENTS"})),
)  # fmt: skip
