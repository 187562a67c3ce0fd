"""Python functions that SQL can call, and the one registry that publishes them."""
