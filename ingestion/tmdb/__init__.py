"""The source `api`: TMDB's own HTTP API, or the stand-in server that behaves as it does."""
