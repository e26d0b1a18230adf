"""How gunicorn serves the back office; it finds this file when started in the project's folder: ``gunicorn``."""

import gc

# Not the module itself: gunicorn takes the name config for its own.
from config import load

_settings = load()

# Nothing that is made while the application loads is garbage; serving.application() turns it on again.
gc.disable()
# Loaded once, before the workers part: they start in no time and share what it takes.
preload_app = True
wsgi_app = "backoffice.serving:application()"
bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.workers
threads = _settings.threads
# Which forwarded headers count is for BACKOFFICE_PROXIES alone to say.
secure_scheme_headers: dict[str, str] = {}
# A socket in the home folder that nothing here uses, and that two installations of one user would fight over.
control_socket_disable = True
