"""Event simulation: programs that walk a mapping's loops, run on queues in SimPy. It never calls `cost`."""
