"""Projects, programs and policy packs as Pulumi's engine runs them, without the engine."""
