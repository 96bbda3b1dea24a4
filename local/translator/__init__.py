"""A stand-in for LiteLLM's image: the package ``litellm``, as far as the gateway's task uses it."""
