"""Where records come from. Each source streams texts; none looks inside them."""
