"""Desk site: django-helpdesk configured, with its database prepared and filled with one queue, one agent and one customer."""

import os
import secrets
import sqlite3
from importlib.metadata import version
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from sandbox.desk import DeskSettings

URLS = "sandbox.desk_urls"
_ALLOWED = [".txt", ".csv", ".pdf", ".png", ".jpg", ".eml", ".bin", ".html", ".json", ".log", ".zip"]


def set_up(wanted: DeskSettings) -> None:
    """Configure Django for this process and bring the database into being.

    A prepared database is kept in the cache, named after the versions that made it: migrating takes two seconds,
    copying it a few milliseconds.
    """
    directory = Path(wanted.directory)
    directory.mkdir(parents=True, exist_ok=True)
    database = directory / "desk.sqlite3"
    name = f"desk-django-{version('django')}-helpdesk-{version('django-helpdesk')}.sqlite3"
    prepared = Path(wanted.cache) / name
    _configure(wanted, database)
    if prepared.is_file():
        database.write_bytes(prepared.read_bytes())
    django.setup()
    if not prepared.is_file():
        call_command("migrate", interactive=False, verbosity=0)
        _keep(database, prepared)
    _fill(wanted)


def _keep(database: Path, prepared: Path) -> None:
    prepared.parent.mkdir(parents=True, exist_ok=True)
    part = prepared.with_name(f"{prepared.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    try:
        # Copying the file of a WAL database would copy an empty one.
        connection.execute("VACUUM INTO ?", (str(part),))
    finally:
        connection.close()
    part.replace(prepared)


def _configure(wanted: DeskSettings, database: Path) -> None:
    pragmas = "PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF"
    settings.configure(
        DEBUG=False,
        SECRET_KEY=secrets.token_urlsafe(32),
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=URLS,
        USE_TZ=True,
        TIME_ZONE="UTC",
        LANGUAGE_CODE="en-us",
        SITE_ID=1,
        LOGIN_URL="/login/",
        STATIC_URL="/static/",
        MEDIA_URL="/media/",
        MEDIA_ROOT=str(Path(wanted.directory) / "media"),
        FILE_UPLOAD_TEMP_DIR=wanted.directory,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(database),
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": pragmas},
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.sites",
            "django.contrib.messages",
            "django.contrib.admin",
            "django.contrib.humanize",
            "django.contrib.staticfiles",
            "rest_framework",
            "rest_framework.authtoken",
            "helpdesk",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
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
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        },
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=wanted.smtp_port,
        EMAIL_HOST_USER=wanted.address,
        EMAIL_HOST_PASSWORD=wanted.password,
        EMAIL_TIMEOUT=5,
        DEFAULT_FROM_EMAIL=wanted.address,
        HELPDESK_TEAMS_MODE_ENABLED=False,
        HELPDESK_PUBLIC_TICKET_QUEUE="support",
        HELPDESK_VALID_EXTENSIONS=_ALLOWED,
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
        },
    )


def _fill(wanted: DeskSettings) -> None:
    from django.contrib.auth import get_user_model
    from django.contrib.sites.models import Site
    from helpdesk.models import Queue
    from rest_framework.authtoken.models import Token

    users = get_user_model().objects
    user = users.filter(username="prober").first()  # of an earlier start in the same folder
    if user is None:
        user = users.create_superuser("prober", "agent@acme.test", secrets.token_urlsafe(24))
    Token.objects.filter(user=user).delete()
    Token.objects.create(user=user, key=wanted.token)
    customer, _ = users.update_or_create(
        username=wanted.customer, defaults={"email": wanted.customer_address, "is_staff": False}
    )
    customer.set_password(wanted.customer_password)
    customer.save()
    Site.objects.update_or_create(id=1, defaults={"domain": "localhost", "name": "Acme support"})
    Queue.objects.update_or_create(
        slug="support",
        defaults={
            "title": "Support",
            "allow_public_submission": True,
            "allow_email_submission": True,
            "email_address": wanted.address,
            "email_box_type": "imap",
            "email_box_host": "127.0.0.1",
            "email_box_port": wanted.imap_port,
            "email_box_ssl": False,
            "email_box_user": wanted.address,
            "email_box_pass": wanted.password,
            "email_box_imap_folder": "INBOX",
            "email_box_interval": 0,
        },
    )
