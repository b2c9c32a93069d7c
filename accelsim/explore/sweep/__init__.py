"""Design-space exploration: what varies and what is asked, and the points that follow."""
