"""The state of a stack: PostgreSQL as RDS sets it up, and Redis as ElastiCache does."""
