"""Code that several components share: IAM documents, buckets, generated secrets, log delivery."""
