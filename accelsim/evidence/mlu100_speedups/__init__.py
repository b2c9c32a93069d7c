"""What offline mode, threads, batches and a matching layout gained on the MLU100 card."""
