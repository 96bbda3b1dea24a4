"""Former type tokens of components, so that a stack that was made under one keeps its resources."""

import pulumi


def formerly(token: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """A component's own options, with the type that it had as an alias; its children's aliases follow from it."""
    alias = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=token)])
    return pulumi.ResourceOptions.merge(opts, alias)
