"""What topology says passes, compared with what the kernel lets through: real connections between namespaces."""
