"""What the installed Pulumi SDKs say and how values travel between program and engine."""
