"""Policies about chat channels that receive messages."""
