"""TMDB JSON to Delta Bronze: sources, the Bronze writer, quarantine, and a synthetic catalogue."""
