"""IAM, KMS and the policies of resources."""

from __future__ import annotations

from preflight.conform.documented.model import Constraint, Measured, Numbers, Shared, Text, measured
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import UNKNOWN

ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
POLICY, ATTACHMENT = "aws:iam/policy:Policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
KEY = "aws:kms/key:Key"
QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"


def _inline_policies(recording: Recording) -> Numbers:
    sizes: dict[str, tuple[RecordedResource, int]] = {}
    for policy in recording.of_type(ROLE_POLICY):
        text = policy.inputs.get("policy")
        if isinstance(text, str) and text != UNKNOWN:
            role = str(policy.inputs.get("role"))
            sizes[role] = (policy, (sizes[role][1] if role in sizes else 0) + measured(text, "visible"))
    for _, (policy, size) in sorted(sizes.items()):
        yield policy, "policy", size


CONSTRAINTS: tuple[Constraint, ...] = (
    Text(
        name="role-name",
        source=QUOTAS,
        wanted="at most 64 letters, digits and _+=,.@-",
        fix="shorten the name; if none is set, Pulumi appends a hyphen and seven digits to the logical name",
        types={ROLE: ("=name",)},
        pattern=r"[\w+=,.@-]+",
        most=64,
    ),
    Text(
        name="role-description",
        source="https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
        wanted="at most 1000 characters",
        fix="shorten the description",
        types={ROLE: ("description",)},
        most=1000,
    ),
    Text(
        name="trust-policy-size",
        source=QUOTAS,
        wanted="at most 2048 characters without white space",
        fix="name fewer principals, or request a higher quota before the deployment",
        types={ROLE: ("assumeRolePolicy",)},
        most=2048,
        measure="visible",
    ),
    Measured(
        name="inline-policies-size",
        source=QUOTAS,
        wanted="at most 10240 characters of all inline policies of one role, without white space",
        fix="move statements into a managed policy",
        numbers=_inline_policies,
        unit="characters of all inline policies of the role",
        most=10240,
    ),
    Text(
        name="managed-policy-size",
        source=QUOTAS,
        wanted="at most 6144 characters without white space",
        fix="split the statements between several policies",
        types={POLICY: ("policy",)},
        most=6144,
        measure="visible",
    ),
    Text(
        name="managed-policy-name",
        source=QUOTAS,
        wanted="at most 128 letters, digits and _+=,.@-",
        fix="shorten the name",
        types={POLICY: ("=name",), ROLE_POLICY: ("=name",)},
        pattern=r"[\w+=,.@-]+",
        most=128,
    ),
    Shared(
        name="managed-policies-per-role",
        source=QUOTAS,
        wanted="at most 10 managed policies of one role",
        fix="merge policies, or request a higher quota before the deployment",
        type=ATTACHMENT,
        owner="role",
        most=10,
    ),
    Text(
        name="key-policy-size",
        source="https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html",
        wanted="at most 32768 bytes",
        fix="name fewer principals",
        types={KEY: ("policy",), "aws:kms/keyPolicy:KeyPolicy": ("policy",)},
        most=32768,
        measure="bytes",
    ),
    Text(
        name="key-alias",
        source="https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
        wanted="alias/ and at most 250 letters, digits and /_-, not beginning with alias/aws/",
        fix="choose another alias",
        types={"aws:kms/alias:Alias": ("=name",)},
        pattern=r"alias/(?!aws/)[a-zA-Z0-9/_-]+",
        most=256,
    ),
    Text(
        name="bucket-policy-size",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html",
        wanted="at most 20480 bytes",
        fix="name fewer principals, or replace resources by a prefix with a wildcard",
        types={"aws:s3/bucketPolicy:BucketPolicy": ("policy",)},
        most=20480,
        measure="bytes",
    ),
    Text(
        name="secret-policy-size",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html",
        wanted="at most 20480 characters",
        fix="name fewer principals",
        types={"aws:secretsmanager/secretPolicy:SecretPolicy": ("policy",)},
        most=20480,
    ),
)
