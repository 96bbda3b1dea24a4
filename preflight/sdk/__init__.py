"""The declarations of the installed Pulumi SDKs, and the wire format between program and engine."""
