"""The functions that SQL can call: one module a subject. See `udfs.registry` for how they get there."""
