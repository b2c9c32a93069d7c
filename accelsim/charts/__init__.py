"""Floor 5: each picture a pure function of a result; matplotlib is imported here alone."""
