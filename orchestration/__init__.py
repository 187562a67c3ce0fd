"""The cycle: which step follows which, and the commands that run it. All work is in the packages below."""
