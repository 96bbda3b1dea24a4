"""What happens to one request: web ACL, listener rules, target."""
