"""The chip's figures: see `accelsim.evidence.eyeriss_chip`."""

from accelsim.evidence.eyeriss_chip import predict

__all__ = ["predict"]
