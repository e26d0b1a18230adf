"""The clients' side: signing in, asking for services, and what has been activated for an account."""

from views.client_area.frame import install

__all__ = ["install"]
