"""The desk's own pages: what the generator cannot guess."""

from views.desk.home import Home

__all__ = ["Home"]
