"""The report site: what the last run did, how good the data is, and what Gold says, as pages without a script."""
