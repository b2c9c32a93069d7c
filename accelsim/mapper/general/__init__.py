"""The search over every mapping that an architecture allows."""

from accelsim.mapper.general.search import search_all

__all__ = ["search_all"]
