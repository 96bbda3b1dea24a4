"""IAM policy documents: their statements, what each covers, and whom it grants what."""
