"""A secret that the program generates: stored in Secrets Manager, stable, and referenced by its version.

Its value is derived from a private key of the ``tls`` provider, which lives in the stack's encrypted state. So no
preview changes it, and replacing that key (``pulumi up --target-replace``) is how it is renewed.
"""

import hashlib

import pulumi
import pulumi_aws as aws

PROXY_CERTIFICATE = "proxy-certificate"
PROXY_PRIVATE_KEY = "proxy-private-key"
SESSION_KEY = "session-key"


def derived_secret(purpose: str, private_key_pem: str) -> str:
    """64 hexadecimal digits that follow from a private key, others for every purpose."""
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
    """The secret, and the ``valueFrom`` of a container that gets it."""
    secret = aws.secretsmanager.Secret(
        name, description=description, kms_key_id=key_arn, tags=tags, opts=pulumi.ResourceOptions(parent=parent)
    )
    # An older task definition names an older version: keep it readable, so that a rollback starts.
    version = aws.secretsmanager.SecretVersion(
        f"{name}-version",
        secret_id=secret.id,
        secret_string=pulumi.Output.secret(value),
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )
    return secret, pulumi.Output.concat(secret.arn, ":::", version.version_id)
