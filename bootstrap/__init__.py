"""What every environment of an account needs before its first deployment, as a separate Pulumi project."""
