"""Policies on Bedrock models and guardrails."""
