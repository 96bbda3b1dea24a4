"""A real PostgreSQL with pgvector, behind a door that lets people in as RDS does."""
