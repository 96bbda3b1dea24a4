"""Tests of the account's bootstrap project."""
