"""As ``django-admin startproject`` writes them, but for the database."""

from sqlalchemy import make_url

from bench.rivals.tables import SECRET, URL

_url = make_url(URL)
SECRET_KEY = SECRET
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.rivals.django_desk.urls"
STATIC_URL = "/static/"
USE_TZ = True
LANGUAGE_CODE = "it"
TIME_ZONE = "Europe/Rome"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.database,
        "USER": _url.username or "postgres",
        "PASSWORD": _url.password or "",
        "HOST": _url.host or _url.query.get("host", ""),
        "PORT": str(_url.port or ""),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"options": "-csearch_path=bench_django,public"},
    }
}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "bench.rivals.django_desk",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
