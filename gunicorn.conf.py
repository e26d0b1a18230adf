"""How gunicorn serves the back office; it finds this file when started in the project's folder: ``gunicorn``."""

import config

_settings = config.load()

wsgi_app = "backoffice.serving:application()"
bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.workers
threads = _settings.threads
# Which forwarded headers count is for BACKOFFICE_PROXIES alone to say.
secure_scheme_headers: dict[str, str] = {}
