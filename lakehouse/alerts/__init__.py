"""Alerts: Slack and mail, critical ones at once, warnings in a digest; never able to fail or stall what raises them."""
