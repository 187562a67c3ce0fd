"""What happened: runs, steps, dbt's nodes, Spark's stages, quality, alerts; kept in the `ops` tables."""
