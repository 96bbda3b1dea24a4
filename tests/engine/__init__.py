"""The project on Pulumi's real engine, without AWS."""
