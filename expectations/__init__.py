"""The gate between Silver and Gold: Great Expectations over rules that are declared in YAML."""
