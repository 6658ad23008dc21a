"""Sealing: what only this site may read again, such as how to reach an author."""

from cryptography.fernet import Fernet, MultiFernet


def seal(keys: str, text: str) -> bytes:
    """Encrypt `text` with the first of `keys` (Fernet keys, comma separated)."""
    return _box(keys).encrypt(text.encode())


def unseal(keys: str, sealed: bytes) -> str:
    """Read again what was sealed with any of `keys`."""
    return _box(keys).decrypt(sealed).decode()


def _box(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
