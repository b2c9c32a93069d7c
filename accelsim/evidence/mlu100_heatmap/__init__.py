"""Throughput of ResNet-50 on the MLU100 card against batch, threads, data and model parallelism."""
