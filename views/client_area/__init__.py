"""The clients' side: for now its sign-in page."""

from views.client_area.sign_in import install

__all__ = ["install"]
