"""The AWS services that a task and the ECS agent talk to, as far as the twin plays them: IAM, signatures and endpoints."""
