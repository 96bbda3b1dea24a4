"""The runbook's questions to the logs, saved in CloudWatch Logs Insights.

One query for each step of the runbook that reads a log, so that none has to be written during an incident. A query is text in the account,
without results; it costs nothing until it is run. It creates no dashboard and no metric.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.component import Component

REQUEST_ID = "1-00000000-000000000000000000000000"
USER_ID = "0000000000000000"
"""Stand in for the values that the reader knows: they match nothing until they are replaced."""

_LINE = (
    "@timestamp, side, status, route, flags, detail, refused, user, method, path, upstream, attempts, duration_ms, "
    "first_byte_ms, request_bytes, response_bytes, input_tokens, output_tokens"
)


@dataclass(frozen=True)
class Query:
    """One saved query."""

    name: str
    """The part of its name after ``ai-interface/<environment>/``."""
    logs: tuple[str, ...]
    """The logs that it reads: keys of ``SavedQueriesArgs.log_group_names``."""
    text: str
    """Commands, separated by ``|``."""


QUERIES = (
    Query(
        "request", ("proxy",), f'fields {_LINE} | filter request_id like "{REQUEST_ID}" | sort @timestamp | limit 100'
    ),
    Query(
        "request-at-firewall",
        ("waf",),
        "fields @timestamp, action, terminatingRuleId, httpRequest.httpMethod, httpRequest.uri, httpRequest.clientIp "
        f'| filter httpRequest.requestId like "{REQUEST_ID}"',
    ),
    Query(
        "request-at-gateway",
        ("gateway-proxy",),
        "fields @timestamp, status, route, flags, detail, duration_ms, first_byte_ms, request_bytes, response_bytes "
        f'| filter request_id like "{REQUEST_ID}"',
    ),
    Query(
        "user",
        ("proxy",),
        f'fields request_id, {_LINE} | filter user = "{USER_ID}" | sort @timestamp desc | limit 1000',
    ),
    Query(
        "errors",
        ("proxy",),
        "filter status >= 500 | stats count(*) as requests, max(duration_ms) as slowest by side, route, status, flags, detail "
        "| sort requests desc",
    ),
    Query(
        "errors-of-the-application",
        ("interface",),
        "filter @message like /ERROR|CRITICAL|Traceback/ | fields @timestamp, @logStream, @message | sort @timestamp desc | limit 200",
    ),
    Query(
        "not-readable",
        ("proxy",),
        'filter side = "inbound" and coalesce(request_id, "-") = "-" | stats count(*) as requests by status, flags, detail, bin(5m) '
        "| sort requests desc",
    ),
    Query(
        "refused",
        ("proxy",),
        "filter refused like /./ | stats count(*) as requests, count_distinct(user) as users by refused, bin(5m) "
        "| sort requests desc",
    ),
    Query(
        "firewall-by-rule",
        ("waf",),
        'filter action = "BLOCK" | stats count(*) as requests, count_distinct(httpRequest.clientIp) as addresses, '
        "count_distinct(httpRequest.uri) as paths by terminatingRuleId | sort requests desc",
    ),
    Query(
        "firewall-by-address",
        ("waf",),
        'filter action = "BLOCK" | stats count(*) as requests, count_distinct(httpRequest.uri) as paths '
        "by httpRequest.clientIp, httpRequest.country, terminatingRuleId | sort requests desc | limit 50",
    ),
    Query(
        "uploads",
        ("proxy",),
        'filter route = "upload" and status < 400 | stats count(*) as uploads, sum(request_bytes) / 1048576 as mebibytes '
        "by @logStream, bin(15m) | sort mebibytes desc",
    ),
    Query(
        "cleaner",
        ("prepare",),
        "filter @logStream like /cleaner/ | fields @timestamp, @logStream, event, files, bytes, percent, reason "
        "| sort @timestamp desc | limit 200",
    ),
    Query(
        "prepare-failed",
        ("prepare",),
        'filter event = "failed" | fields @timestamp, @logStream, reason | sort @timestamp desc | limit 50',
    ),
    Query(
        "synthetic-chats",
        ("synthetic-chat",),
        'filter event = "synthetic-chat" | fields @timestamp, Failures, chats.0.group, chats.0.outcome, chats.0.status, '
        "chats.0.first_token_ms, chats.1.group, chats.1.outcome, chats.1.status, @message | sort @timestamp desc | limit 50",
    ),
    Query(
        "synthetic-calls",
        ("synthetic-proxy",),
        "fields @timestamp, status, route, flags, detail, upstream, attempts, duration_ms, first_byte_ms "
        "| sort @timestamp desc | limit 50",
    ),
    Query(
        "tokens-by-group",
        ("proxy",),
        "filter input_tokens > 0 | stats count(*) as calls, sum(input_tokens) as input, sum(output_tokens) as output, "
        "max(input_tokens) as largest by route, bin(1h) | sort input desc",
    ),
    Query(
        "tokens-by-user",
        ("proxy",),
        'filter side = "models" and status = 200 | stats count(*) as calls, sum(input_tokens) as input, '
        "sum(output_tokens) as output by user, route | sort input desc | limit 50",
    ),
    Query(
        "model-refusals",
        ("proxy",),
        'filter side = "models" and status >= 400 | stats count(*) as calls by path, upstream, status, attempts, flags '
        "| sort calls desc",
    ),
    Query(
        "gateway-failures",
        ("gateway",),
        "filter Failures > 0 or Throttles > 0 | stats count(*) as calls by model, status, error | sort calls desc",
    ),
    Query(
        "egress-refused",
        ("egress",),
        "filter status in [403, 405] | stats count(*) as requests, min(@timestamp) as since by authority, status "
        "| sort requests desc",
    ),
    Query(
        "egress-failures",
        ("egress",),
        "filter status >= 500 | stats count(*) as requests by authority, status, flags, detail | sort requests desc",
    ),
    Query(
        "names-refused",
        ("dns",),
        'filter rcode != "NOERROR" | stats count(*) as queries by query_name, rcode, firewall_rule_action | sort queries desc',
    ),
    Query(
        "connections-refused",
        ("flow",),
        'filter action = "REJECT" | stats count(*) as flows by srcAddr, dstAddr, dstPort, interfaceId | sort flows desc | limit 100',
    ),
    Query(
        "database-logins",
        ("database-logins",),
        "fields @timestamp, @message | sort @timestamp desc | limit 100",
    ),
)
"""Every query. The runbook names each one at its step."""


class SavedQueriesArgs(Args):
    """Arguments of ``SavedQueries``."""

    environment: str
    """Part of the queries' names: ``ai-interface/<environment>/<query>``."""
    logs: list[str]
    """The logs that the stack has: ``proxy``, ``waf``, ``flow`` and others. A query of another log is not created."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Log → log group name."""


class SavedQueries(Component):
    """The saved queries. CloudWatch Logs has no tags for them."""

    def __init__(self, name: str, args: SavedQueriesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = SavedQueriesArgs.model_validate(args)
        super().__init__("ai-interface:index:SavedQueries", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        for query in QUERIES:
            if set(query.logs) <= set(args.logs):
                aws.cloudwatch.QueryDefinition(
                    f"{name}-{query.name}",
                    name=f"ai-interface/{args.environment}/{query.name}",
                    log_group_names=[args.log_group_names[log] for log in query.logs],
                    query_string=query.text.replace(" | ", "\n| "),
                    opts=child,
                )
        self.register_outputs({})
