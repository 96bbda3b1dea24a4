"""IAM as far as this project uses it: AWS's action data, what each resource's calls need, and whether they are allowed."""
