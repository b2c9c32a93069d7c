"""ResNet-101 on all 32 cores of the MLU100 card: which split is first, and what it takes."""
