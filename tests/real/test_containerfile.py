"""The Containerfile without an engine: linted, its copies and commands done in folders of ours, and what comes of them run.

What only an engine shows is left to whoever builds it: the base image, Debian's packages in it, and the size.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.real.own_tree import OwnTree
from tests.real.servers.needed import NAMESPACES
from tests.real.test_rendered_pod import Node, prepared, render
from tests.sandbox import ROOT, Sandbox, start_sandbox

FILE = ROOT / "Containerfile"
BUILD_SECONDS = 600.0
RUN_SECONDS = 120.0
PREFIX = "/opt/intake-prober"


def stage(name: str) -> list[str]:
    """The instructions of a stage, each on one line."""
    text = re.sub(r"(?m)^\s*#.*\n", "", FILE.read_text()).replace("\\\n", " ")
    stages = dict(re.findall(r"(?ms)^FROM \S+ AS (\w+)\n(.*?)(?=^FROM|\Z)", text))
    return [" ".join(one.split()) for one in stages[name].splitlines() if one.strip()]


def of_kind(name: str, kind: str) -> list[str]:
    return [one.removeprefix(f"{kind} ") for one in stage(name) if one.startswith(f"{kind} ")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stage `build` makes, in a folder of ours."""
    NAMESPACES.require()
    folder = tmp_path_factory.mktemp("image")
    source, prefix = folder / "source", folder / "prefix"
    source.mkdir()
    for copied in of_kind("build", "COPY"):
        *names, target = copied.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, source / target, ignore=shutil.ignore_patterns("__pycache__"), symlinks=True
                )
            else:
                shutil.copy(ROOT / name, source)
    environment = dict(one.split("=", 1) for line in of_kind("build", "ENV") for one in line.split())
    # An image keeps no cache; we do, or each run would fetch a hundred megabytes.
    environment |= {"PIP_NO_CACHE_DIR": "0", "PIP_CACHE_DIR": str(ROOT / ".cache/pip")}
    [command] = of_kind("build", "RUN")
    ended = subprocess.run(
        [
            "sh",
            "-euc",
            command.replace(PREFIX, str(prefix)).replace("python -m venv", f"{sys.executable} -m venv"),
        ],
        cwd=source,
        env={
            **os.environ,
            **{name: value.replace("/source", str(source)) for name, value in environment.items()},
        },
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return prefix


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def test_containerfile__is_linted_without_a_word() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"

    linted = subprocess.run(
        [str(hadolint), str(FILE)], capture_output=True, text=True, timeout=60, check=False
    )
    wrong = subprocess.run(
        [str(hadolint), "-"],
        input="FROM debian:latest\nRUN sudo cd /x\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (linted.returncode, linted.stdout) == (0, "")
    assert wrong.returncode != 0


@pytest.mark.parametrize("target", ["plain", "browser"])
def test_image__ends_as_the_user_of_the_rendered_pods(target: str) -> None:
    assert of_kind(target, "USER")[-1] == "10001:10001"


def test_image__has_no_secret_and_is_asked_whether_it_lives() -> None:
    words = " ".join(one for name in ("build", "runtime", "browser", "plain") for one in stage(name))

    assert not re.search(r"(?i)password|token|secret_?key|ARG \w*(KEY|SECRET)", words)
    assert of_kind("runtime", "ENTRYPOINT") == ['["intake-prober"]']
    assert "/healthz" in " ".join(of_kind("runtime", "HEALTHCHECK"))


def test_context__is_what_the_build_copies() -> None:
    copied = {name for one in of_kind("build", "COPY") for name in one.split()[:-1]}
    let_in = {
        line.removeprefix("!")
        for line in (ROOT / ".containerignore").read_text().splitlines()
        if line[:1] == "!"
    }

    assert copied == let_in
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_what_is_built__is_pinned_and_has_all_that_the_program_needs(
    tmp_path: Path, built: Path, sandbox: Sandbox
) -> None:
    pins = set((ROOT / "constraints.txt").read_text().split())
    [site] = built.glob("lib/python*/site-packages")
    one = prepared(tmp_path, sandbox, {"paths": {"support-email": {"every": "1h"}}})
    node = Node(tmp_path, one, render(one, "cronjob"), tree=partial(OwnTree, site=site, code=None))

    installed = subprocess.run(
        [str(built / "bin/pip"), "freeze"], capture_output=True, text=True, timeout=RUN_SECONDS, check=True
    ).stdout.split("\n")
    ended = subprocess.run(node.command(), capture_output=True, text=True, timeout=RUN_SECONDS, check=False)

    versions = {one.lower().replace("_", "-") for one in installed if "==" in one}
    assert versions <= pins
    assert {"psycopg", "dkimpy", "playwright"} <= {one.partition("==")[0] for one in versions}
    assert not {one.partition("==")[0] for one in versions} & {"pytest", "django", "aiosmtpd"}
    assert ended.returncode == 0, ended.stderr
    assert {"support-email", "confirmed"} <= set(ended.stdout.split())
    assert (built / "bin/intake-prober").exists()
