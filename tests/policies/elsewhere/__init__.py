"""Programs as people write them, none of this project's making, and what a reviewer would say of each."""
