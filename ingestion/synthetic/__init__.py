"""A made-up movie catalogue in the true shape of TMDB's `GET /movie/{id}`, decided by a seed."""
