"""What each rule of the firewall really compares, in words, for a small application."""

from typing import Any

import pytest

from components.waf.rules import Application, Limits, firewall_rules

LIMITS = Limits(
    prompt_bytes=100,
    upload_bytes=2000,
    cookie_bytes=16_384,
    header_bytes=32_768,
    query_bytes=4096,
    uri_bytes=2048,
    pages_per_window=3000,
    uploads_per_window=20,
    model_calls_per_window=300,
    address_pages_per_window=30_000,
    address_uploads_per_window=200,
    address_model_calls_per_window=6000,
    address_static_per_window=60_000,
)
APPLICATION = Application(
    upload_paths=("/files/",),
    model_call_paths=("/chat",),
    prompt_paths=("/notes/",),
    fixed_body_paths=("/notes/login",),
    query_paths=("/", "/search"),
    static_paths=("/assets/", "/static/"),
    methods=("POST", "GET"),
    trusted_headers=("X-User-Email",),
    session_cookie="session",
)
TABLE = firewall_rules(LIMITS, APPLICATION)


def in_words(statement: dict[str, Any]) -> str:
    """One statement as a person reads it."""
    ((kind, body),) = statement.items()
    if kind == "not_statement":
        return f"not {in_words(body['statement'])}"
    if kind in ("and_statement", "or_statement"):
        joined = f" {kind.removesuffix('_statement')} ".join(in_words(part) for part in body["statements"])
        return f"({joined})"
    if kind in ("ip_set_reference_statement", "label_match_statement"):
        return f"{body['scope']} {body['key']}" if "key" in body else f"client in {body['arn']}"
    if kind == "managed_rule_group_statement":
        counted = [f"{o['name']} {''.join(o['action_to_use'])}" for o in body.get("rule_action_overrides", [])]
        return " ".join([body["vendor_name"], body["name"], *counted])
    if kind == "rate_based_statement":
        keys = [f"cookie {key['cookie']['name']}" for key in body.get("custom_keys", [])]
        by = f"{body['aggregate_key_type']} {' '.join(keys)}".strip()
        scope = in_words(body["scope_down_statement"]) if "scope_down_statement" in body else "every request"
        return f"more than {body['limit']} in {body['evaluation_window_sec']} s for one {by} of {scope}"
    compared = {
        "size_constraint_statement": lambda: f"{body['comparison_operator']} {body['size']}",
        "byte_match_statement": lambda: f"{body['positional_constraint']} {body['search_string']}",
        "regex_match_statement": lambda: f"~ {body['regex_string']}",
    }[kind]()
    changes = [t["type"] for t in body["text_transformations"] if t["type"] != "NONE"]
    return " ".join([_field(body["field_to_match"]), compared, *changes])


def _field(field: dict[str, Any]) -> str:
    ((kind, body),) = field.items()
    if kind == "single_header":
        return f"header {body['name']}"
    if kind == "headers":
        (what,) = body
        ((pattern, names),) = what["match_pattern"].items()
        return " ".join(["headers", pattern, *names, what["match_scope"], what["oversize_handling"]])
    return " ".join([kind, *body.values()])


AMBIGUOUS = r"//|\\|/\.{1,2}(/|$)|%(00|2[5dDeEfF]|3[0-9]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aAeE])"
FREE = "not LABEL path:free-text"
FREE_WORDS = "not LABEL path:free-query"
CORE, KNOWN = "LABEL awswaf:managed:aws:core-rule-set:", "LABEL awswaf:managed:aws:known-bad-inputs:"
PAGES = "not (LABEL path:upload or LABEL path:model-call or LABEL path:static)"


COMPARED = {
    "canary": "uri_path EXACTLY /firewall-canary",
    "ambiguous-path": f"uri_path ~ {AMBIGUOUS}",
    "method": "not method ~ ^(GET|POST)$",
    "forged-identity": (
        "(header x-user-email GE 0 or headers all KEY CONTINUE STARTS_WITH x-amzn-oidc- LOWERCASE"
        " or headers all KEY CONTINUE STARTS_WITH x-envoy- LOWERCASE)"
    ),
    "grpc": "header content-type STARTS_WITH application/grpc LOWERCASE",
    "mark-upload": "(uri_path STARTS_WITH /files/ and method ~ ^(POST|PUT|PATCH)$)",
    "mark-model-call": "(uri_path STARTS_WITH /chat and method ~ ^(POST|PUT|PATCH)$)",
    "mark-free-text": (
        "((uri_path STARTS_WITH /chat or uri_path STARTS_WITH /files/ or uri_path STARTS_WITH /notes/)"
        " and not uri_path STARTS_WITH /notes/login)"
    ),
    "mark-free-query": "(uri_path EXACTLY / or uri_path STARTS_WITH /search)",
    "mark-static": "((uri_path STARTS_WITH /assets/ or uri_path STARTS_WITH /static/) and method ~ ^(GET|HEAD)$)",
    "length-malformed": "(header content-length GE 0 and not header content-length ~ ^[0-9]{0,12}$)",
    "upload-too-large": (
        "(LABEL path:upload and header content-length ~"
        " ^0*([1-9][0-9]{4,}|[3-9][0-9]{3}|2[1-9][0-9]{2}|20[1-9][0-9]{1}|200[1-9])$)"
    ),
    "body-too-large": (
        "(not LABEL path:upload and header content-length ~ ^0*([1-9][0-9]{3,}|[2-9][0-9]{2}|1[1-9][0-9]{1}|10[1-9])$)"
    ),
    "body-beyond-window": "body MATCH GT 8192",
    "cookies-too-large": "header cookie GT 16384",
    "header-too-large": "headers excluded_headers cookie VALUE CONTINUE GT 6144",
    "query-too-large": "(not uri_path EXACTLY /oauth2/idpresponse and query_string GT 4096)",
    "callback-query-too-large": "(uri_path EXACTLY /oauth2/idpresponse and query_string GT 8192)",
    "path-too-long": "uri_path GT 2048",
    "headers-beyond-window": "headers all ALL MATCH GT 8192",
    "rate-uploads-address": "more than 200 in 300 s for one IP of LABEL path:upload",
    "rate-model-calls-address": "more than 6000 in 300 s for one IP of LABEL path:model-call",
    "rate-pages-address": f"more than 30000 in 300 s for one IP of {PAGES}",
    "rate-static-address": "more than 60000 in 300 s for one IP of LABEL path:static",
    "rate-uploads-session": "more than 20 in 300 s for one CUSTOM_KEYS cookie session-0 of LABEL path:upload",
    "rate-model-calls-session": "more than 300 in 300 s for one CUSTOM_KEYS cookie session-0 of LABEL path:model-call",
    "rate-pages-session": f"more than 3000 in 300 s for one CUSTOM_KEYS cookie session-0 of {PAGES}",
    "ip-reputation": "AWS AWSManagedRulesAmazonIpReputationList",
    "known-bad-inputs": (
        "AWS AWSManagedRulesKnownBadInputsRuleSet JavaDeserializationRCE_BODY count"
        " JavaDeserializationRCE_QUERYSTRING count Log4JRCE_BODY count Log4JRCE_QUERYSTRING count ReactJSRCE_BODY count"
    ),
    "core": (
        "AWS AWSManagedRulesCommonRuleSet CrossSiteScripting_BODY count CrossSiteScripting_QUERYARGUMENTS count"
        " EC2MetaDataSSRF_BODY count EC2MetaDataSSRF_QUERYARGUMENTS count GenericLFI_BODY count"
        " GenericLFI_QUERYARGUMENTS count GenericRFI_BODY count GenericRFI_QUERYARGUMENTS count"
        " RestrictedExtensions_QUERYARGUMENTS count SizeRestrictions_BODY count"
        " SizeRestrictions_Cookie_HEADER count SizeRestrictions_QUERYSTRING count SizeRestrictions_URIPATH count"
    ),
    "log4j-body": f"({KNOWN}Log4JRCE_Body and {FREE})",
    "java-deserialization-body": f"({KNOWN}JavaDeserializationRCE_Body and {FREE})",
    "react-body": f"({KNOWN}ReactJSRCE_Body and {FREE})",
    "log4j-query": f"({KNOWN}Log4JRCE_QueryString and {FREE_WORDS})",
    "java-deserialization-query": f"({KNOWN}JavaDeserializationRCE_QueryString and {FREE_WORDS})",
    "file-inclusion-query": f"({CORE}GenericLFI_QueryArguments and {FREE_WORDS})",
    "remote-inclusion-query": f"({CORE}GenericRFI_QueryArguments and {FREE_WORDS})",
    "metadata-query": f"({CORE}EC2MetaDataSSRF_QueryArguments and {FREE_WORDS})",
    "scripting-query": f"({CORE}CrossSiteScripting_QueryArguments and {FREE_WORDS})",
    "extension-query": f"({CORE}RestrictedExtensions_QueryArguments and {FREE_WORDS})",
    "file-inclusion-body": f"({CORE}GenericLFI_Body and {FREE})",
    "remote-inclusion-body": f"({CORE}GenericRFI_Body and {FREE})",
    "metadata-body": f"({CORE}EC2MetaDataSSRF_Body and {FREE})",
    "scripting-body": f"({CORE}CrossSiteScripting_Body and {FREE})",
}


def test_every_rule_is_written_in_words() -> None:
    assert sorted(COMPARED) == sorted(rule.key for rule in TABLE), "add the rule's statement to COMPARED"


@pytest.mark.parametrize("key", COMPARED)
def test_a_rule_compares_what_it_should(key: str) -> None:
    (rule,) = (rule for rule in TABLE if rule.key == key)
    assert in_words(rule.statement) == COMPARED[key]


def test_the_rules_keep_to_the_quotas_of_one_web_acl() -> None:
    rate_rules = [rule for rule in TABLE if "rate_based_statement" in rule.statement]
    bodies = {rule.body_key: f"{rule.body}\n".encode() for rule in TABLE}

    assert len(rate_rules) <= 10
    assert len(bodies) <= 50
    assert max(map(len, bodies.values())) <= 4096
    assert sum(map(len, bodies.values())) <= 50 * 1024


def test_the_login_s_answer_never_has_less_room_than_other_queries() -> None:
    rules = firewall_rules(
        Limits(100, 2000, 16_384, 32_768, 9000, 2048, 3000, 20, 300, 30_000, 200, 6000, 60_000),
        Application(("/files/",), ("/chat",), (), (), (), (), ("GET",), (), "session"),
    )

    about = ("query-too-large", "callback-query-too-large")
    assert [in_words(r.statement).rpartition(" ")[2] for r in rules if r.key in about] == ["9000)", "9000)"]
