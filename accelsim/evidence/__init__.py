"""Published and measured values, each with its source, and what holds the models against them."""
