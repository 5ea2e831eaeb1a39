"""Secrets come from where they are said to be, and never show."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from probes.masking import Masker, Secret
from probes.servers import SecretUnavailable
from runners.clock import SystemClock
from runners.config.secrets import EnvSecret, ExecSecret, FileSecret, LiteralSecret, read_signing_keys


def _exec(*command: str, masker: Masker | None = None, limit_seconds: float = 10.0) -> ExecSecret:
    return ExecSecret(command, masker=masker or Masker(), clock=SystemClock(), limit_seconds=limit_seconds)


def _python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", code, *arguments)


def test_secret_in_the_environment_with_a_final_line_break__is_taken_without() -> None:
    source = EnvSecret("TOKEN", environ={"TOKEN": "s3cret-of-tests\r\n"}, masker=Masker())

    assert source.now().reveal() == "s3cret-of-tests"


def test_file__without_its_last_line_break__is_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" with spaces \n")
    masker = Masker()

    secret = asyncio.run(FileSecret(file, masker=masker).read())

    assert secret == Secret(" with spaces ")
    assert masker.mask("[ with spaces ]") == "[***]"


def test_file_that_changes__is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "password"
    source = FileSecret(file, masker=Masker())
    file.write_text("before")
    first = source.now()
    file.write_text("after")

    assert (first, source.now()) == (Secret("before"), Secret("after"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "gives nothing"),
        (b"\n", "gives nothing"),
        (b"\xff", "not UTF-8"),
        (b"x" * 70000, "more than 64 KiB"),
    ],
)
def test_file_that_holds_no_secret__is_told(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)

    with pytest.raises(SecretUnavailable, match=message):
        FileSecret(file, masker=Masker()).now()


def test_empty_variable__is_told() -> None:
    with pytest.raises(SecretUnavailable, match="the environment variable NAME is empty"):
        EnvSecret("NAME", environ={"NAME": ""}, masker=Masker()).now()


def test_variable_that_is_not_utf8__is_told_before_anything_chokes_on_it() -> None:
    value = b"p\xe4ss".decode(errors="surrogateescape")

    with pytest.raises(SecretUnavailable, match="the environment variable NAME is not UTF-8"):
        EnvSecret("NAME", environ={"NAME": value}, masker=Masker()).now()


def test_command__is_run_once_until_its_secret_is_refused(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = "import sys, pathlib; p = pathlib.Path(sys.argv[1]); n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); print(f'secret-{n}')"
    source = _exec(*_python(code, str(count)))

    async def read() -> list[Secret]:
        return [await source.read(), await source.read(), await source.read(renew=True), await source.read()]

    assert asyncio.run(read()) == [
        Secret("secret-0"),
        Secret("secret-0"),
        Secret("secret-1"),
        Secret("secret-1"),
    ]


def test_command__when_many_are_refused_at_once__is_run_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = "import sys, pathlib; p = pathlib.Path(sys.argv[1]); n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); print(f'secret-{n}')"
    source = _exec(*_python(code, str(count)))

    async def read() -> set[Secret]:
        await source.read()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(source.read(renew=True)) for _ in range(5)]
        return {task.result() for task in tasks}

    assert asyncio.run(read()) == {Secret("secret-1")}


def test_command_that_fails__is_told_without_what_it_said() -> None:
    source = _exec(
        *_python("import sys; print('half-a-secret'); print('whole-secret', file=sys.stderr); sys.exit(3)")
    )

    with pytest.raises(SecretUnavailable) as caught:
        asyncio.run(source.read())

    assert str(caught.value) == f"the command {sys.executable} ended with status 3"


def test_command_that_is_not_there__is_told() -> None:
    with pytest.raises(
        SecretUnavailable, match="the command /no/such can't be started: No such file or directory"
    ):
        asyncio.run(_exec("/no/such").read())


def test_command_that_hangs__is_killed_at_its_limit(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = "import os, sys, pathlib, signal; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); signal.pause()"

    with pytest.raises(SecretUnavailable, match="took longer than 1 s"):
        asyncio.run(_exec(*_python(code, str(pid)), limit_seconds=1.0).read())

    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), signal.SIG_DFL)


def test_command_that_prints_without_end__is_stopped() -> None:
    source = _exec(*_python("while True: print('x' * 10000)"))

    with pytest.raises(SecretUnavailable, match="more than 64 KiB"):
        asyncio.run(source.read())


def test_source__when_shown__shows_no_secret() -> None:
    source = LiteralSecret(Secret("hunter2"))

    assert repr(source) == "LiteralSecret(***)"


def test_short_signing_key_of_a_command__is_told() -> None:
    with pytest.raises(SecretUnavailable, match=r"prober.signing_keys\[0\] has fewer than 16 bytes"):
        asyncio.run(read_signing_keys((_exec(*_python("print('short')")),)))
