"""The table of mistakes, continued: the models section."""

from __future__ import annotations

from settings.errors import HIDDEN, NOT_SET
from tests.settings.mistakes import row
from tests.settings.mistakes_in_external_upstreams import EXTERNAL_ROWS
from tests.settings.mistakes_in_mantle_upstreams import MANTLE_ROWS
from tests.settings.mistakes_in_private_upstreams import PRIVATE, PRIVATE_ROWS
from tests.settings.stack_files import REMOVED, Values

ANOTHER_MODEL = (
    "choose another model, or put this one into a separate group with an upstream of kind gateway, which calls Converse; if "
    "Bedrock serves it by now, say so in models.known"
)
EMBEDDINGS_FIX = (
    "offer the model in a group with serves: [chat], or choose a model that settings/known_models.tsv lists with embeddings; if "
    "Bedrock serves embeddings with this one, say so in models.known"
)
LLAMA: Values = {
    "id": "meta.llama4-scout-17b-instruct-v1:0",
    "kind": "bedrock",
    "source": "https://docs.aws.amazon.com/bedrock/latest/userguide/model-cards-meta.html",
}

MODEL_ROWS = [
    row("no group", {"models.groups": []}, ("models.groups", "a list of 0", "write at least 1")),
    row(
        "a model without Chat Completions",
        {"models.groups[0].models[1]": "anthropic.claude-sonnet-4-5-20250929-v1:0"},
        ("models.groups[0].models", "anthropic.claude-sonnet-4-5-20250929-v1:0", ANOTHER_MODEL),
    ),
    row(
        "a profile of a model without Chat Completions",
        {"models.groups[0].models[1]": "global.anthropic.claude-opus-5-5"},
        ("models.groups[0].models", "global.anthropic.claude-opus-5-5", ANOTHER_MODEL),
    ),
    row(
        "a model that the stack file itself says is not served",
        {
            "models.groups[0].models[1]": "meta.llama4-scout-17b-instruct-v1:0",
            "models.known": [{**LLAMA, "serves": "neither"}],
        },
        ("models.groups[0].models", "meta.llama4-scout-17b-instruct-v1:0", ANOTHER_MODEL),
    ),
    row(
        "a model known twice, and a profile in place of its model",
        {"models.known": [LLAMA, LLAMA, {**LLAMA, "id": "us.meta.llama4-maverick-17b-instruct-v1:0"}]},
        (
            "models.known[1].id",
            "meta.llama4-scout-17b-instruct-v1:0",
            "remove the entry, or write meta.llama4-scout-17b-instruct-v1:0",
        ),
        (
            "models.known[2].id",
            "us.meta.llama4-maverick-17b-instruct-v1:0",
            "remove the entry, or write meta.llama4-maverick-17b-instruct-v1:0",
        ),
    ),
    row(
        "a known model without a source",
        {"models.known": [{**LLAMA, "source": "x"}]},
        ("models.known[0].source", '"x"', "write a value of the allowed form"),
    ),
    row(
        "a profile of another area",
        {
            "models.groups[0].models[1]": "us.openai.gpt-5.6-terra",
            "models.groups[0].upstreams[0].destinationRegions": ["us-east-1"],
        },
        (
            "models.groups[0].models",
            "us.openai.gpt-5.6-terra",
            "use the profile of the area of eu-west-1, or global.openai.gpt-5.6-terra; Bedrock's page of the model lists its "
            "profiles",
        ),
    ),
    row(
        "a profile without destinations",
        {"models.groups[0].models[1]": "eu.openai.gpt-oss-20b-1:0"},
        (
            "models.groups[0].upstreams[0].destinationRegions",
            NOT_SET,
            "list the destination regions that Bedrock's page of the model gives for this source region",
        ),
    ),
    row(
        "a destination twice",
        {
            "models.groups[0].models[1]": "eu.openai.gpt-oss-20b-1:0",
            "models.groups[0].upstreams[0].destinationRegions": ["eu-west-1", "eu-west-1"],
        },
        (
            "models.groups[0].upstreams[0].destinationRegions",
            "eu-west-1, eu-west-1",
            "list the destination regions that Bedrock's page of the model gives for this source region",
        ),
    ),
    row(
        "destinations of a global profile",
        {
            "models.groups[0].models[1]": "global.openai.gpt-5.6-terra",
            "models.groups[0].upstreams[0].destinationRegions": ["eu-west-1"],
        },
        ("models.groups[0].upstreams[0].destinationRegions", "eu-west-1", "remove it"),
    ),
    row(
        "a model that Converse does not serve",
        {
            "models.groups[0].models": ["amazon.nova-reel-v1:0"],
            "models.groups[0].upstreams": [{"kind": "gateway", "region": "eu-west-1"}],
        },
        (
            "models.groups[0].models",
            "amazon.nova-reel-v1:0",
            "choose another model; if Bedrock serves it by now, say so in models.known",
        ),
    ),
    row(
        "an embedding model for chats",
        {
            "models.groups[0].models": ["amazon.titan-embed-text-v2:0"],
            "models.groups[0].upstreams": [{"kind": "gateway", "region": "eu-west-1"}],
        },
        ("models.groups[0].models", "amazon.titan-embed-text-v2:0", "set serves of the group to [embeddings]"),
    ),
    row(
        "a chat model, and one that is not known, for embeddings",
        {
            "models.groups[0].models": ["anthropic.claude-3-haiku-20240307-v1:0", "example.embed-v1:0"],
            "models.groups[0].serves": ["embeddings"],
            "models.groups[0].upstreams": [{"kind": "gateway", "region": "eu-west-1"}],
        },
        *(
            ("models.groups[0].models", model, EMBEDDINGS_FIX)
            for model in ("anthropic.claude-3-haiku-20240307-v1:0", "example.embed-v1:0")
        ),
    ),
    row(
        "embeddings of the API that has none",
        {"models.groups[0].serves": ["embeddings"]},
        (
            "models.groups[0].serves",
            "embeddings",
            "put the embedding model into a separate group with an upstream of kind gateway, which calls InvokeModel",
        ),
    ),
    row(
        "chats and embeddings of one gateway's group",
        {
            "models.groups[0].models": ["amazon.titan-embed-text-v2:0"],
            "models.groups[0].serves": ["chat", "embeddings"],
            "models.groups[0].upstreams": [{"kind": "gateway", "region": "eu-west-1"}],
        },
        ("models.groups[0].serves", "chat, embeddings", "make two groups"),
    ),
    row(
        "a use twice",
        {"models.groups[0].serves": ["chat", "chat"]},
        ("models.groups[0].serves", "chat, chat", "remove the duplicate"),
    ),
    row(
        "a group that serves nothing",
        {"models.groups[0].serves": []},
        ("models.groups[0].serves", "a list of 0", "write at least 1"),
    ),
    row(
        "a gateway in another region",
        {"models.groups[0].upstreams": [{"kind": "gateway", "region": "us-east-1"}]},
        (
            "models.groups[0].upstreams[0].region",
            "us-east-1",
            "write eu-west-1; for the capacity of other regions, offer a cross-region inference profile (an id such as "
            "eu.<model> or global.<model>) and list its destinationRegions",
        ),
    ),
    row(
        "fewer tasks of the gateway at most than at least",
        {"models.gateway": {"minimumTasks": 5}},
        ("models.gateway.maximumTasks", "4", "set it to 5 or more"),
    ),
    row(
        "a model of another provider by the Messages API",
        {"models.gateway": {"messagesModels": ["amazon.nova-lite-v1:0"]}},
        (
            "models.gateway.messagesModels[0]",
            "amazon.nova-lite-v1:0",
            "remove it: the gateway calls it by Converse",
        ),
    ),
    row(
        "an unknown kind of upstream",
        {"models.groups[0].upstreams[0].kind": "openai"},
        (
            "models.groups[0].upstreams[0].kind",
            '"openai"',
            "set kind to one of bedrock, bedrockMantle, external, gateway, private",
        ),
    ),
    row(
        "an upstream without kind",
        {"models.groups[0].upstreams[0].kind": REMOVED},
        (
            "models.groups[0].upstreams[0].kind",
            NOT_SET,
            "set kind to one of bedrock, bedrockMantle, external, gateway, private",
        ),
    ),
    row(
        "an upstream without region",
        {"models.groups[0].upstreams[0].region": REMOVED},
        ("models.groups[0].upstreams[0].region", NOT_SET, "add region to Pulumi.staging.yaml"),
    ),
    row(
        "Bedrock of another region",
        {"models.groups[0].upstreams[0].region": "us-east-1"},
        (
            "models.groups[0].upstreams[0].region",
            "us-east-1",
            "write eu-west-1; for the capacity of other regions, offer a cross-region inference profile (an id such as "
            "eu.<model> or global.<model>) and list its destinationRegions",
        ),
    ),
    row(
        "a budget that counts nothing",
        {"models.billedServices": []},
        ("models.billedServices", "a list of 0", "write at least 1"),
    ),
    row(
        "the same upstream twice",
        {"models.groups[0].upstreams": [{"kind": "bedrock", "region": "eu-west-1"}] * 2},
        ("models.groups[0].upstreams[1]", "bedrock in eu-west-1", "remove it, or name another server"),
    ),
    row(
        "the same host and port twice, with another security group",
        {"models.groups[0].upstreams": [PRIVATE, {**PRIVATE, "securityGroupId": "sg-0123456789abcdef1"}]},
        ("models.groups[0].upstreams[1]", "models.internal.example.com:443", "remove it, or name another server"),
    ),
    row(
        "the interface as its own upstream",
        {"models.groups[0].upstreams": [{**PRIVATE, "hostName": "chat.staging.example.com"}]},
        ("models.groups[0].upstreams[0].hostName", "chat.staging.example.com", "set the host name of the model server"),
    ),
    row(
        "the database's port for a model server",
        {"models.groups[0].upstreams": [{**PRIVATE, "port": 5432}]},
        (
            "models.groups[0].upstreams[0].port",
            "5432",
            "run the model server on another port, for example 443",
        ),
    ),
    row(
        "a port that the network ACL cannot tell from the cache's",
        {"models.groups[0].upstreams": [{**PRIVATE, "port": 9379}]},
        (
            "models.groups[0].upstreams[0].port",
            "9379",
            "run the model server on another port, for example 443",
        ),
    ),
    row(
        "two ports that the network ACL cannot tell apart",
        {
            "models.groups[0].upstreams": [
                {**PRIVATE, "port": 8000},
                {**PRIVATE, "hostName": "more.internal.example.com", "port": 11_000},
            ]
        },
        (
            "models.groups[0].upstreams[1].port",
            "11000",
            "run the model server on another port, for example 443",
        ),
    ),
    row(
        "more ports than the network ACLs of three zones have room for",
        {
            "network.availabilityZones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
            "capacity.minimumTasks": 3,
            "models.groups[0].upstreams": [
                {**PRIVATE, "hostName": f"m{n}.internal.example.com", "port": 8000 + n} for n in range(3)
            ],
        },
        (
            "models.groups",
            "model servers on the ports 8000, 8001, 8002",
            "run some of the model servers on the same port, for example 443",
        ),
    ),
    row(
        "prompts recorded without readers",
        {"models.recordPrompts": {"days": 30, "readerArns": []}},
        ("models.recordPrompts.readerArns", "a list of 0", "write at least 1"),
    ),
    row(
        "prompts recorded for ever",
        {"models.recordPrompts": {"days": 3650, "readerArns": ["arn:aws:iam::111122223333:role/readers"]}},
        ("models.recordPrompts.days", "3650", "set it to 365 or less"),
    ),
    row(
        "a port out of range",
        {"models.groups[0].upstreams": [{**PRIVATE, "port": 70_000}]},
        ("models.groups[0].upstreams[0].port", "70000", "set it to 65535 or less"),
    ),
    row(
        "a key where the certificate belongs",
        {"models.groups[0].upstreams": [{**PRIVATE, "caCertificate": "-----BEGIN PRIVATE KEY-----\nMIIE"}]},
        (
            "models.groups[0].upstreams[0].caCertificate",
            HIDDEN,
            "paste the CA's certificate below the key, after a |",
        ),
    ),
    *PRIVATE_ROWS,
    *EXTERNAL_ROWS,
    *MANTLE_ROWS,
    row(
        "two groups share name and model",
        {"models.groups": [{"name": "a1", "models": ["m"], "upstreams": [PRIVATE]}] * 2},
        ("models.groups", "a1, a1", "rename one of the groups"),
        (
            "models.groups",
            "m",
            "remove the model from all groups but one, and list that group's other upstreams for failover",
        ),
    ),
]
