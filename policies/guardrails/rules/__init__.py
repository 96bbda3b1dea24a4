"""The policies, one a module: the file's name is the policy's name in snake_case."""

from __future__ import annotations

from importlib import import_module

from ..rule import Rule

NAMES = (
    "access_logs_expire",
    "alarms_have_destinations",
    "buckets_are_private",
    "buckets_have_lifecycles",
    "certificates_are_strong",
    "clusters_are_observed",
    "container_logs",
    "container_privileges",
    "default_security_groups_locked",
    "deletion_protection",
    "encryption_at_rest",
    "firewall_blocks_identity_headers",
    "firewall_limits_requests",
    "firewall_logs_redacted",
    "firewall_rules_are_measured",
    "flow_logs_recorded",
    "forwarding_rules_authenticate",
    "identity_policies_are_narrow",
    "image_repositories_are_fixed",
    "images_by_digest",
    "kms_keys_rotate",
    "listener_default_denies",
    "listeners_use_tls",
    "load_balancer_hardening",
    "load_balancer_zones",
    "load_balancers_log",
    "log_groups_kept_and_encrypted",
    "login_actions_are_strict",
    "open_ingress",
    "ownership_tags",
    "public_bucket",
    "public_database",
    "resource_policies_are_narrow",
    "response_headers_set",
    "role_trust_is_narrow",
    "secrets_not_in_environment",
    "sensitive_values_are_secret",
    "subnets_assign_no_public_address",
    "targets_use_tls",
    "task_isolation",
    "task_roles_apart",
)
RULES: tuple[Rule, ...] = tuple(import_module(f".{name}", __name__).RULE for name in NAMES)
"""Every policy, by name."""
