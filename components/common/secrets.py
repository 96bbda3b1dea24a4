"""A secret that the program generates. It is stored in Secrets Manager, does not change, and is referenced by its
version.

Its value is derived from a private key of the ``tls`` provider, which is in the stack's encrypted state. A preview
therefore never changes it. To renew it, replace that key: ``docs/incidents.md`` has the command for each.
"""

import hashlib

import pulumi
import pulumi_aws as aws

PROXY_CERTIFICATE = "proxy-certificate"
PROXY_PRIVATE_KEY = "proxy-private-key"
SESSION_KEY = "session-key"
USER_KEY = "user-key"


def derived_secret(purpose: str, private_key_pem: str) -> str:
    """64 hexadecimal digits derived from a private key, with a different value for each purpose."""
    return hashlib.sha256(f"ai-interface {purpose}\n".encode() + private_key_pem.encode()).hexdigest()


def generated_secret(
    name: str,
    *,
    description: str,
    value: pulumi.Output[str],
    key_arn: pulumi.Output[str],
    tags: dict[str, str],
    parent: pulumi.Resource,
) -> tuple[aws.secretsmanager.Secret, pulumi.Output[str]]:
    """The secret, and the ``valueFrom`` for a container that uses it."""
    secret = aws.secretsmanager.Secret(
        name, description=description, kms_key_id=key_arn, tags=tags, opts=pulumi.ResourceOptions(parent=parent)
    )
    # An older task definition refers to an older version. Keep it readable, so that a rollback can start.
    version = aws.secretsmanager.SecretVersion(
        f"{name}-version",
        secret_id=secret.id,
        secret_string=pulumi.Output.secret(value),
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )
    return secret, pulumi.Output.concat(secret.arn, ":::", version.version_id)
