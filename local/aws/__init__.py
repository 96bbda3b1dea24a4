"""The AWS services that a task and the ECS agent call, as far as the twin implements them: IAM, signatures and
endpoints."""
