"""`render cronjob|deployment|cron|systemd`: where a prober runs, made from its configuration."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from probes.program import program_version
from runners.cli.options import Options, command
from runners.cli.rendering import ForceOption, OutputOption, deliver, target_of

if TYPE_CHECKING:
    from runners.config.config import Config
    from runners.deploy.host import Host
    from runners.deploy.workload import Workload

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_MOST_OF_A_NAME = 45
"""A CronJob's name has 52 letters at most; ours add a suffix, too."""
_MOST_OF_A_LABEL = 63
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")

NameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="What the objects are called.")]
NamespaceOption = Annotated[str, typer.Option("--namespace", metavar="NAME", help="Where they go.")]
ImageOption = Annotated[
    str | None,
    typer.Option(
        "--image", metavar="IMAGE", help="The image to run; else a placeholder, which the text says."
    ),
]
CidrOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cidr", metavar="NETWORK", help="Where it may go, beside DNS; default anywhere. Repeat it."
    ),
]
ProgramOption = Annotated[
    str, typer.Option("--program", metavar="FILE", help="The whole path of intake-prober on that host.")
]
UserOption = Annotated[str, typer.Option("--user", metavar="NAME", help="Who runs it; not root.")]
EnvironmentOption = Annotated[
    str, typer.Option("--env-file", metavar="FILE", help="Where the variables with secrets are.")
]


@command
def cronjob(
    options: Options,
    *,
    output: OutputOption = None,
    force: ForceOption = False,
    name: NameOption = "intake-prober",
    namespace: NamespaceOption = "intake-prober",
    image: ImageOption = None,
    cidr: CidrOption = None,
) -> None:
    """A Kubernetes CronJob of `run --due`, with its ConfigMap, volume and NetworkPolicy.

    Secrets are referred to, never written: the text names the keys that must be there, and how to make them.

    Exit: 0, 2 it can't be made of this configuration.

    Example: intake-prober render cronjob --namespace probing --image registry.example/intake-prober:0.1.0 > prober.yaml
    """
    from runners.deploy.cronjob import render_cronjob

    networks = _networks(options, cidr)
    _emit(
        options,
        target_of(output, f"{name}.yaml") if output is not None else None,
        force=force,
        make=lambda config: render_cronjob(
            _workload(options, config, name=name, namespace=namespace, image=image), networks=networks
        ),
    )


@command
def deployment(
    options: Options,
    *,
    output: OutputOption = None,
    force: ForceOption = False,
    name: NameOption = "intake-prober",
    namespace: NamespaceOption = "intake-prober",
    image: ImageOption = None,
    cidr: CidrOption = None,
    replicas: Annotated[
        int | None,
        typer.Option("--replicas", min=1, max=20, help="Default: one with SQLite, two with PostgreSQL."),
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option("--reader", metavar="NAMESPACE", help="A namespace that may read the page. Repeat it."),
    ] = None,
    service_monitor: Annotated[
        bool | None,
        typer.Option(
            "--service-monitor/--annotations",
            help="How Prometheus finds /metrics, with --reader; default: not by this.",
        ),
    ] = None,
) -> None:
    """A Kubernetes Deployment of `serve`, with its ConfigMap, volume, Service and NetworkPolicy.

    The page must listen on 0.0.0.0, and so needs web.token or web.proxy. With PostgreSQL there are replicas and a
    PodDisruptionBudget; with SQLite there is one pod.

    Exit: 0, 2 it can't be made of this configuration.

    Example: intake-prober render deployment --image registry.example/intake-prober:0.1.0 --service-monitor --reader monitoring
    """
    from runners.deploy.deployment import DeploymentOptions, Scraping, render_deployment

    scraping = {None: Scraping.NONE, True: Scraping.SERVICE_MONITOR, False: Scraping.ANNOTATIONS}
    for one in reader or []:
        _check_label(options, "--reader", one, most=_MOST_OF_A_LABEL)
    asked = DeploymentOptions(
        replicas=replicas,
        scraping=scraping[service_monitor],
        readers=tuple(reader or ()),
        networks=_networks(options, cidr),
    )
    _emit(
        options,
        target_of(output, f"{name}.yaml") if output is not None else None,
        force=force,
        make=lambda config: render_deployment(
            _workload(options, config, name=name, namespace=namespace, image=image), asked
        ),
    )


@command
def cron(
    options: Options,
    *,
    output: OutputOption = None,
    force: ForceOption = False,
    program: ProgramOption = "/opt/intake-prober/bin/intake-prober",
    user: UserOption = "intake-prober",
    env_file: EnvironmentOption = "/etc/intake-prober/secrets.env",
    mail_to: Annotated[
        str, typer.Option("--mail-to", metavar="ADDRESS", help="Whom cron mails when a run is in trouble.")
    ] = "root",
    log: Annotated[
        str, typer.Option("--log", metavar="FILE", help="Where the runs' logs and answers go.")
    ] = "/var/log/intake-prober.log",
) -> None:
    """A file for /etc/cron.d that runs `run --due`. The configuration is taken to lie where it lies here.

    Exit: 0, 2 it can't be made of this configuration.

    Example: intake-prober --config /etc/intake-prober/intake.yaml render cron -o /etc/cron.d/intake-prober
    """
    from runners.deploy.cron import render_cron
    from runners.deploy.systemd import NAME

    if not re.fullmatch(r"[A-Za-z0-9._+@-]*", mail_to):
        raise options.fail(f"{mail_to!r} is no address for cron's mail", "Write an address, or a local user.")
    if not re.fullmatch(r"/[A-Za-z0-9_./-]+", log):
        raise options.fail(f"{log!r} is no log file", "Write a whole path of letters, digits and ./-_.")
    _emit(
        options,
        target_of(output, NAME) if output is not None else None,
        force=force,
        make=lambda config: render_cron(
            _host(config, program=program, user=user, env_file=env_file),
            mail_to=mail_to,
            log=PurePosixPath(log),
        ),
    )


@command
def systemd(
    options: Options,
    *,
    output: OutputOption = None,
    force: ForceOption = False,
    program: ProgramOption = "/opt/intake-prober/bin/intake-prober",
    user: UserOption = "intake-prober",
    env_file: EnvironmentOption = "/etc/intake-prober/secrets.env",
    oneshot: Annotated[
        bool, typer.Option("--oneshot", help="A timer and `run --due` instead of the daemon.")
    ] = False,
) -> None:
    """A hardened systemd service of `serve`; with --oneshot, a timer and a service of `run --due`.

    With --output NAME.service, the timer is written beside it as NAME.timer. The configuration is taken to lie where it
    lies here.

    Exit: 0, 2 it can't be made of this configuration.

    Example: intake-prober --config /etc/intake-prober/intake.yaml render systemd -o /etc/systemd/system/intake-prober.service
    """
    from runners.deploy.systemd import NAME, render_oneshot, render_service

    output = target_of(output, f"{NAME}.service") if output is not None else None
    if output is not None and output.suffix != ".service":
        raise options.fail(f"{output} is no name for a service", "Name a file that ends in .service.")
    unit = output.stem if output is not None else NAME

    def make(config: "Config") -> dict[Path | None, str]:
        host = _host(config, program=program, user=user, env_file=env_file)
        if not oneshot:
            return {output: render_service(host, unit)}
        service, timer = render_oneshot(host, unit)
        if output is None:
            return {None: f"{service}\n{timer}"}
        return {output: service, output.with_suffix(".timer"): timer}

    _emit_all(options, force=force, make=make)


def add_deploy(render: typer.Typer) -> None:
    """Add these commands to `render`."""
    for one in (cronjob, deployment, cron, systemd):
        render.command(one.__name__)(one)


def _emit(options: Options, output: Path | None, *, force: bool, make: "Callable[[Config], str]") -> None:
    _emit_all(options, force=force, make=lambda config: {output: make(config)})


def _emit_all(
    options: Options, *, force: bool, make: "Callable[[Config], Mapping[Path | None, str]]"
) -> None:
    """Print or write what is made, unless it can't be made of this configuration."""
    from runners.deploy.refusal import CannotRender

    config = options.load_to_render()
    try:
        made = make(config)
    except CannotRender as refused:
        raise options.fail(str(refused), refused.remedy) from None
    deliver(options, config, made, force=force)


def _workload(
    options: Options, config: "Config", *, name: str, namespace: str, image: str | None
) -> "Workload":
    from runners.deploy.workload import files_beside, workload

    _check_label(options, "--name", name, most=_MOST_OF_A_NAME)
    _check_label(options, "--namespace", namespace, most=_MOST_OF_A_LABEL)
    if image is not None and not _IMAGE.fullmatch(image):
        raise options.fail(f"{image!r} is no image", "Write it like registry.example/intake-prober:0.1.0.")
    return workload(
        config,
        text=_read(options, config.file).decode("utf-8-sig"),
        files={name: _read(options, Path(path)) for name, path in files_beside(config).items()},
        name=name,
        namespace=namespace,
        image=image,
        version=program_version(),
    )


def _read(options: Options, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise options.fail(
            f"the file {file} can't be read: {error.strerror}", "It goes into the ConfigMap: put it there."
        ) from None


def _host(config: "Config", *, program: str, user: str, env_file: str) -> "Host":
    from runners.deploy.host import Host

    return Host(
        config=config,
        program=PurePosixPath(program),
        file=PurePosixPath(config.file.absolute()),
        user=user,
        environment_file=PurePosixPath(env_file),
    )


def _check_label(options: Options, option: str, value: str, *, most: int) -> None:
    if not _LABEL.fullmatch(value) or len(value) > most:
        raise options.fail(
            f"{option} {value!r} is no name in Kubernetes",
            f"Write small letters, digits and hyphens, at most {most}, a letter first.",
        )


def _networks(options: Options, given: list[str] | None) -> tuple[str, ...]:
    found = []
    for one in given or []:
        try:
            found.append(str(ipaddress.ip_network(one)))
        except ValueError:
            raise options.fail(
                f"--cidr {one} is not a network", "Write it like 203.0.113.0/24 or 203.0.113.7/32."
            ) from None
    return tuple(found)
