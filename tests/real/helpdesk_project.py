"""A project around the sandbox's helpdesk, as an operator has one: an app of its own, its data, a setting.

The sandbox itself has neither; a folder on PYTHONPATH brings them into its helpdesk's process.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sandbox import ROOT, Sandbox, start_sandbox

AGENT_PASSWORD = "agent-of-the-tests-1"
AGENT_TOKEN = "a9" * 20
QUEUE_ID = "2"
"""The quarantine's queue is made second."""
_FOLDER = "INTAKE_TEST_HELPDESK_PROJECT"
_HOOK = """\
import sys

if "sandbox.desk_process" in sys.orig_argv:
    from tests.real.helpdesk_project import extend

    extend()
"""
_APPS = """\
from django.apps import AppConfig


class AcmeConfig(AppConfig):
    name = "acme"

    def ready(self):
        for name in MODULES:
            __import__("acme." + name)
"""
# What the rendered page asks for in words, and an agent as there are many: the customers' queue is hers, and mails her.
_DATA = f"""
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from helpdesk.models import Queue
from rest_framework.authtoken.models import Token

support = Queue.objects.get(slug="support")
support.new_ticket_cc = "agent@acme.test"
support.save()
queue = Queue.objects.create(title="Canaries", slug="canaries", email_address=support.email_address)
assert str(queue.pk) == "{QUEUE_ID}"
agent = get_user_model().objects.create_user("agent", "agent@acme.test", "{AGENT_PASSWORD}", is_staff=True)
agent.user_permissions.add(Permission.objects.get(codename="queue_access_support"))
Token.objects.create(user=agent, key="{AGENT_TOKEN}")
"""


def extend() -> None:
    """In the helpdesk's process: the project's app and setting; its data after the sandbox's own."""
    from django.conf import LazySettings

    from sandbox import desk_site
    from sandbox.desk import DeskSettings

    configure, fill = LazySettings.configure, desk_site._fill

    def configured(settings: LazySettings, **options: object) -> None:
        apps = options["INSTALLED_APPS"]
        assert isinstance(apps, list)
        more = {"INSTALLED_APPS": [*apps, "acme"], "HELPDESK_ENABLE_PER_QUEUE_STAFF_PERMISSION": True}
        configure(settings, **{**options, **more})

    def filled(wanted: DeskSettings) -> None:
        fill(wanted)
        exec((Path(os.environ[_FOLDER]) / "data.py").read_text(), {})  # noqa: S102 - as `manage.py shell < data.py`

    setattr(LazySettings, "configure", configured)  # noqa: B010 -- a function of the installation
    setattr(desk_site, "_fill", filled)  # noqa: B010 -- as above


@contextmanager
def running_project(folder: Path, modules: Mapping[str, str]) -> Iterator[Sandbox]:
    """A sandbox whose helpdesk has the modules in its project's app, imported when it is ready.

    Args:
        folder: to write into.
        modules: by the file's name.
    """
    app = folder / "project" / "acme"
    app.mkdir(parents=True)
    names = [name.removesuffix(".py") for name in modules]
    files = {"__init__.py": "", "apps.py": f"MODULES = {names!r}\n{_APPS}", **modules}
    for name, text in files.items():
        (app / name).write_text(text)
    (app.parent / "sitecustomize.py").write_text(_HOOK)
    (app.parent / "data.py").write_text(_DATA)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", f"{app.parent}{os.pathsep}{ROOT}")
        environment.setenv(_FOLDER, str(app.parent))
        with start_sandbox(folder / "sandbox") as sandbox:
            sandbox.poller(running=True, interval_seconds=0.1)
            yield sandbox
