"""NVDLA nv_small: cycles and bytes of its convolution traces."""
