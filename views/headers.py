"""Headers that every answer carries."""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)


def install(app: Flask) -> None:
    """Send the security headers with every answer of ``app``; pages are never kept by shared caches."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    if response.location and response.location.startswith(request.host_url):
        # Without the host: what the request says of it may be made up.
        response.location = response.location[len(request.host_url) - 1 :]
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint and request.endpoint.endswith("static"):
        return response
    headers.setdefault("Cache-Control", "no-store")
    return response
