"""Make secret sources and file names of what the document says, and note what can't be had."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from probes.masking import Masker, Secret
from probes.servers import SecretSource, SecretUnavailable
from probes.tls import CertificateFileUnusable, check_authorities
from runners.config.errors import ConfigError
from runners.config.fields import SecretKind, SecretRef
from runners.config.needs import NamedFile, Needs
from runners.config.reading import Loc, Tree, dotted
from runners.config.secrets import EnvSecret, ExecSecret, FileSecret, LiteralSecret

if TYPE_CHECKING:
    from probes.contracts import Clock

_SHORTEST_KEY_BYTES = 16
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----")
_BASE32 = re.compile(r"[A-Z2-7]{8,}=*")


def _is_base32(text: str) -> bool:
    """Whether it is base32 as people are given it: in groups, in small letters, without the padding."""
    return _BASE32.fullmatch(re.sub(r"\s", "", text).upper()) is not None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a configuration is read in.

    Attributes:
        folder: what relative file names are relative to: where the configuration lies.
        needs_secrets: whether a secret that can't be had is a mistake (not for who only reads the store).
        needs: notes what the configuration needs of the place where it runs.
    """

    tree: Tree
    folder: Path
    environ: Mapping[str, str]
    masker: Masker
    clock: "Clock"
    allow_literal_secrets: bool
    needs_secrets: bool
    needs: Needs = field(default_factory=Needs)

    def note(self, loc: Loc, message: str, remedy: str = "", *, at_key: bool = False) -> None:
        """Note a mistake."""
        self.tree.errors.append(self.tree.error(loc, message, remedy, at_key=at_key))

    def noted(self) -> tuple[ConfigError, ...]:
        """All mistakes so far."""
        return tuple(self.tree.errors)

    def written_type(self, loc: Loc) -> str:
        """The ``type`` that a mapping has in the file: of a preset, its name; empty where it has none."""
        value = self.tree.value
        for key in loc:
            value = value.get(key) if isinstance(value, dict) and isinstance(key, str) else None
        kind = value.get("type") if isinstance(value, dict) else None
        return kind if isinstance(kind, str) else ""

    def has_mistake(self, loc: Loc) -> bool:
        """Whether a mistake was noted there or below."""
        key = dotted(loc)
        return any(one.key == key or one.key.startswith((f"{key}.", f"{key}[")) for one in self.tree.errors)

    def secret(self, ref: SecretRef, loc: Loc, *, is_key: bool = False) -> SecretSource:
        """A source for a secret; notes a mistake where it can't be had, or is too short for a signing key."""
        match ref.kind:
            case SecretKind.ENV:
                self.needs.variables.add(ref.words[0])
                env = EnvSecret(ref.words[0], environ=self.environ, masker=self.masker)
                remedy = f"Set {ref.words[0]} where the prober runs, or name another source."
                self._try(env, loc, remedy, is_key=is_key)
                return env
            case SecretKind.FILE:
                self.needs.secret_files.add(NamedFile(ref.words[0], self.folder / ref.words[0]))
                file = FileSecret(self.folder / ref.words[0], masker=self.masker)
                self._try(file, loc, "Write the secret there, readable for the prober alone.", is_key=is_key)
                return file
            case SecretKind.EXEC:
                self.needs.commands.add(ref.words)
                if self.needs_secrets and shutil.which(ref.words[0], path=self.environ.get("PATH")) is None:
                    self.note(
                        loc, f"there is no command {ref.words[0]}", "Install it, or write its whole path."
                    )
                return ExecSecret(ref.words, masker=self.masker, clock=self.clock)
            case SecretKind.LITERAL:
                return self._literal(ref, loc, is_key=is_key)
            case _:
                assert_never(ref.kind)

    def optional_secret(self, ref: SecretRef | None, loc: Loc) -> SecretSource | None:
        """A source for a secret that need not be there."""
        return self.secret(ref, loc) if ref is not None else None

    def checked(
        self, ref: SecretRef, loc: Loc, *, is_right: Callable[[str], bool], message: str, remedy: str
    ) -> SecretSource:
        """A source for a secret of a known form; notes a mistake where it can be had and has another one."""
        source = self.secret(ref, loc)
        value = self._value_of(source)
        if value is not None and not is_right(value):
            self.note(loc, message, remedy)
        return source

    def totp_key(self, ref: SecretRef, loc: Loc) -> SecretSource:
        """A source for the key of one-time passwords; notes a mistake where it is no base32 (RFC 6238, RFC 4648)."""
        source = self.secret(ref, loc)
        value = self._value_of(source)
        if value is not None and not _is_base32(value):
            self.note(
                loc, "the key of the one-time password is not base32", "It is the text beside the QR code."
            )
        return source

    def private_key(self, ref: SecretRef, loc: Loc) -> SecretSource:
        """A source for a private key; notes a mistake where it is none in PEM, or is encrypted."""
        source = self.secret(ref, loc)
        value = self._value_of(source)
        if value is not None and not _PRIVATE_KEY.search(value):
            self.note(loc, "this is no private key in PEM", "It begins with -----BEGIN PRIVATE KEY-----.")
        elif value is not None and "ENCRYPTED" in value:
            remedy = "Take its passphrase away: openssl pkey -in key.pem -out plain.pem"
            self.note(loc, "the private key is encrypted", remedy)
        return source

    def is_short(self, source: SecretSource, least_bytes: int) -> bool:
        """Whether the secret can be had at once, and has fewer bytes."""
        value = self._value_of(source)
        return value is not None and len(value.encode()) < least_bytes

    def _value_of(self, source: SecretSource) -> str | None:
        """The secret where it can be had at once; None where it can't, or need not."""
        if not self.needs_secrets or not isinstance(source, EnvSecret | FileSecret | LiteralSecret):
            return None
        try:
            return source.now().reveal()
        except SecretUnavailable:
            return None

    def authorities(self, names: list[str], loc: Loc) -> tuple[str, ...]:
        """PEM files of certificate authorities, as whole paths; notes a mistake at each that can't be trusted."""
        return tuple(self.authority(name, (*loc, index)) for index, name in enumerate(names))

    def authority(self, name: str, loc: Loc) -> str:
        """A PEM file of certificate authorities, as a whole path; notes a mistake where it can't be trusted."""
        path = str(self.named(name))
        before = len(self.tree.errors)
        if self.needs_secrets:
            self.content(name, loc)
        if self.needs_secrets and len(self.tree.errors) == before:
            try:
                check_authorities(path)
            except CertificateFileUnusable:
                self.note(
                    loc,
                    f"the file {path} holds no certificate, or one that was cut off",
                    "Write the authority's certificate there in PEM, from -----BEGIN CERTIFICATE----- to its END line.",
                )
        return path

    def named(self, name: str) -> Path:
        """The whole path of a file that is no secret, which the configuration names."""
        path = self.folder / name
        self.needs.files.add(NamedFile(name, path))
        return path

    def content(self, name: str, loc: Loc) -> bytes:
        """What a file holds; nothing, and a mistake noted, where it can't be read."""
        try:
            return self.named(name).read_bytes()
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) and error.strerror else "it has no such name"
            self.note(
                loc,
                f"the file {self.folder / name} can't be read: {cause}",
                "Correct the name or the permissions.",
            )
            return b""

    def certificate(self, name: str, loc: Loc) -> str:
        """A PEM file with a certificate, as a whole path."""
        if self.needs_secrets:
            before = len(self.tree.errors)
            content = self.content(name, loc)
            if len(self.tree.errors) == before and b"-----BEGIN CERTIFICATE-----" not in content:
                self.note(
                    loc, "there is no certificate in this file", "It begins with -----BEGIN CERTIFICATE-----."
                )
        return str(self.named(name))

    def _literal(self, ref: SecretRef, loc: Loc, *, is_key: bool) -> SecretSource:
        secret = Secret(ref.words[0])
        literal = LiteralSecret(secret)
        if ref.is_open:
            return literal
        self.masker.register(secret)
        self.needs.literals.add(dotted(loc))
        if self.allow_literal_secrets:
            self._try(literal, loc, "", is_key=is_key)
        else:
            self.note(
                loc,
                "a secret stands here as text",
                "Write {env: NAME}, {file: PATH} or {exec: [command]}; --allow-literal-secrets is for the sandbox.",
            )
        return literal

    def _try(
        self, source: EnvSecret | FileSecret | LiteralSecret, loc: Loc, remedy: str, *, is_key: bool
    ) -> None:
        if not self.needs_secrets:
            return
        try:
            secret = source.now()
        except SecretUnavailable as error:
            self.note(loc, str(error), remedy)
            return
        if is_key and len(secret.reveal().encode()) < _SHORTEST_KEY_BYTES:
            self.note(
                loc,
                "the signing key has fewer than 16 bytes",
                "Make one of 32 random bytes: openssl rand -hex 32.",
            )
