"""A stand-in for LiteLLM's proxy: the same command, configuration, variables, callbacks and routes that the gateway's task
uses, without its other providers, its database and its user interface.

It translates Chat Completions to Converse or to Anthropic's Messages by InvokeModel, by the route in the configuration,
signs with the task's credentials, and names the configured guardrail. What it leaves out of a request (parameters
that a model does not have) is what ``drop_params`` leaves out.
"""
