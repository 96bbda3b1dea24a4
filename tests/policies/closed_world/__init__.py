"""The closed world: every resource type of the SDK is modelled, named as not modelled, or cannot expose anything."""
