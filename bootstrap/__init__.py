"""What every environment of an account needs before its first deployment; a Pulumi project of its own."""
