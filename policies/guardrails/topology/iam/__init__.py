"""IAM policy documents: their statements, the actions and resources that each covers, and the principals."""
