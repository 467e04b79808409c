"""Workspaces' tokens as they are kept: encrypted with a key of the environment, where one is set.

Fernet (AES-128 in CBC mode, HMAC-SHA256) with the workspace's id inside, so that a token copied to another row does not open there. Several
keys, separated by commas: the first one seals, any opens, so a key is replaced without a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

NAME = "RACKSIDE_SLACK_TOKEN_KEY"
HOW = "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
_MARK = "fernet:"


class KeyProblemError(Exception):
    """The key cannot be used; the message says what to do and shows nothing of it."""


class SealedError(Exception):
    """A token does not open with the keys that there are."""


class Seal:
    """Seals and opens tokens; without keys, tokens are kept as they are."""

    def __init__(self, keys: str | None = None) -> None:
        """Use these keys (32 bytes in URL-safe base64, separated by commas); raises KeyProblemError."""
        self._box = _box([one.strip() for one in (keys or "").split(",") if one.strip()])

    @property
    def locks(self) -> bool:
        """Is there a key?"""
        return self._box is not None

    def close(self, team: str, token: str) -> str:
        """A token as it is kept for a workspace."""
        if self._box is None or not token:
            return token
        return _MARK + self._box.encrypt(f"{team}\n{token}".encode()).decode()

    def open(self, team: str, kept: str) -> str:
        """The token of a workspace; raises SealedError."""
        if not kept.startswith(_MARK):
            return kept
        if self._box is None:
            raise SealedError
        from cryptography.fernet import InvalidToken

        try:
            inside = self._box.decrypt(kept.removeprefix(_MARK).encode()).decode()
        except (InvalidToken, UnicodeError) as error:
            raise SealedError from error
        of, _, token = inside.partition("\n")
        if of != team:
            raise SealedError
        return token

    def renewed(self, team: str, kept: str) -> str:
        """What is kept, sealed with the first key; raises SealedError where it does not open."""
        return self.close(team, self.open(team, kept))


def _box(keys: list[str]) -> MultiFernet | None:
    if not keys:
        return None
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError:
        raise KeyProblemError(
            f"{NAME} is set, and the package that encrypts is not installed: pip install cryptography"
        ) from None
    try:
        return MultiFernet([Fernet(one) for one in keys])
    except ValueError:
        raise KeyProblemError(
            f"{NAME} needs keys of 32 bytes in URL-safe base64, separated by commas; this makes one: {HOW}"
        ) from None
