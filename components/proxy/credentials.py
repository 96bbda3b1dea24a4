"""How the proxy proves to a model server who calls: a signature as the task role, or an API key."""

from typing import Any

from components.proxy.settings import ProxySettings, ProxyUpstream

_TYPES = "type.googleapis.com/envoy.extensions"
_UNSIGNED = (
    'function envoy_on_request(h) if not h:headers():get("authorization") then '
    'h:respond({[":status"]="503"},"unsigned") end end'
)


def model_secrets(settings: ProxySettings) -> list[dict[str, Any]]:
    """Return the API keys of the servers, each from its own environment variable. Envoy does not start without one."""
    return [
        {
            "name": _key_name(upstream),
            "generic_secret": {"secret": {"environment_variable": upstream.api_key_variable}},
        }
        for upstream in (
            *(upstream for group in settings.model_groups for upstream in group.upstreams),
            *(tool.upstream for tool in settings.tools),
        )
        if upstream.api_key_variable
    ]


def _key_name(upstream: ProxyUpstream) -> str:
    return f"key-{upstream.name}"


def credential_filters(upstream: ProxyUpstream) -> list[dict[str, Any]] | None:
    """The filter that proves who calls, in the upstream's own filter chain: no other upstream of a failover gets the
    credential, and host and path have their final values."""
    if upstream.signing_region:
        filters = [_filter("aws_request_signing", _signature(upstream)), _filter("lua", _only_signed())]
    elif upstream.api_key_variable:
        filters = [_filter("credential_injector", _api_key(upstream))]
    else:
        return None
    codec = {"@type": f"{_TYPES}.filters.http.upstream_codec.v3.UpstreamCodec"}
    return [*filters, _filter("upstream_codec", codec)]


def _filter(name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"envoy.filters.http.{name}", "typed_config": config}


def _only_signed() -> dict[str, Any]:
    """Without credentials of the task role, Envoy passes a request on unsigned, which Bedrock refuses with a 403: an answer that
    is final. As a 503 the call is made at the next upstream, and counts against this one."""
    return {
        "@type": f"{_TYPES}.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": _UNSIGNED},
    }


def _signature(upstream: ProxyUpstream) -> dict[str, Any]:
    """SigV4 as the task role."""
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning",
        "service_name": upstream.signing_service,
        "region": upstream.signing_region,
        "credential_provider": {"custom_credential_provider_chain": True, "container_credential_provider": {}},
    }


def _api_key(upstream: ProxyUpstream) -> dict[str, Any]:
    """The key as a bearer token. If it is empty, Envoy returns 401; if it contains a line end, 503."""
    return {
        "@type": f"{_TYPES}.filters.http.credential_injector.v3.CredentialInjector",
        "overwrite": True,
        "credential": {
            "name": "envoy.http.injected_credentials.generic",
            "typed_config": {
                "@type": f"{_TYPES}.http.injected_credentials.generic.v3.Generic",
                "credential": {"name": _key_name(upstream)},
                "header": "authorization",
                "header_value_prefix": "Bearer ",
            },
        },
    }
