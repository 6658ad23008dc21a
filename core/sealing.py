"""Sealing: what only this site may read again, such as how to reach an author."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unreadable(ValueError):
    """What was sealed was sealed with another key, or is damaged or empty."""


def seal(keys: str, text: str) -> bytes:
    """Encrypt `text` with the first of `keys` (Fernet keys, comma separated)."""
    return _box(keys).encrypt(text.encode())


def unseal(keys: str, sealed: bytes) -> str:
    """Read again what was sealed with any of `keys`; else raises Unreadable."""
    try:
        return _box(keys).decrypt(sealed).decode()
    except InvalidToken:
        raise Unreadable("sealed with another key, or damaged") from None


def _box(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
