"""What the machine is: architecture files, read and checked, lowered into tables."""

from accelsim.hardware.arch import Arch, load_arch

__all__ = ["Arch", "load_arch"]
