"""How a person can be reached: an e-mail address or a mainland mobile number."""

import re
import unicodedata

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# ASCII only, so that no two addresses look alike.
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")


def fold(typed: str) -> str:
    """An address as it is stored and compared; a mobile number without blanks and +86."""
    plain = unicodedata.normalize("NFKC", typed).strip().lower()
    digits = re.sub(r"[\s\-()]", "", plain).removeprefix("+86").removeprefix("0086")
    return digits if _MOBILE.fullmatch(digits) else plain


def is_mobile(address: str) -> bool:
    """Whether a folded address is a mobile number."""
    return _MOBILE.fullmatch(address) is not None


def is_email(address: str) -> bool:
    """Whether a folded address can be an e-mail address."""
    return len(address) <= 254 and _EMAIL.fullmatch(address) is not None


def can_be_reached(typed: str) -> bool:
    """Whether a message can be sent to what somebody typed."""
    address = fold(typed)
    return is_mobile(address) or is_email(address)


def masked(address: str) -> str:
    """138****0000, w***@example.cn: enough to know it again, not enough to use it."""
    if is_mobile(address):
        return f"{address[:3]}****{address[-4:]}"
    name, _at, host = address.partition("@")
    return f"{name[:1]}***@{host}" if host else "***"
