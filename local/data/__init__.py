"""A stack's data stores: PostgreSQL as RDS sets it up, and Redis as ElastiCache does."""
