"""A real PostgreSQL with pgvector, behind a server that authenticates logins as RDS does."""
