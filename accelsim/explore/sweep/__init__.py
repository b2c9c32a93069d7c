"""Design-space exploration: a space of machines, its evaluation over whole tables, and what it answers."""
