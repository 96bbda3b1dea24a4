"""The path of one request: web ACL, listener rules, target."""
