"""For all tests: the user's cache of searches stays untouched, and no test sees what another left."""

import os

os.environ["ACCELSIM_CACHE"] = "off"
