"""GraphFrames jobs over Silver; what they find comes back to dbt as the source `graph`."""
