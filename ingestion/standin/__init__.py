"""A server that answers as TMDB's API does: for demos, tests and benchmarks, where TMDB itself is out of reach."""
