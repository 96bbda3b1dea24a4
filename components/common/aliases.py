"""Aliases for earlier type tokens of components, so that a stack created with an earlier token keeps its resources."""

import pulumi


def formerly(token: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """A component's options, with its earlier type as an alias. Its children's aliases are derived from it."""
    alias = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=token)])
    return pulumi.ResourceOptions.merge(opts, alias)
