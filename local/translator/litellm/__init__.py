"""A stand-in for LiteLLM's proxy: the same command, configuration, variables, callbacks and routes that the gateway's task
uses, without its other providers, its database and its user interface.

It translates Chat Completions to Converse or to Anthropic's Messages by InvokeModel, by the route in the configuration,
and Embeddings to InvokeModel of Titan or Cohere. It signs with the task's credentials, and names the configured guardrail
in chats. What it leaves out of a request (parameters
that a model does not have) is what ``drop_params`` leaves out.
"""

import gc

# Everything that is imported lives until the end: to look through it for garbage takes an eighth of the start.
gc.set_threshold(20_000, 10, 10)
