"""Receipt numbers: short enough to be read over the telephone, too many to be guessed."""

import datetime as dt
import secrets
import unicodedata
from zoneinfo import ZoneInfo

# Crockford's base 32: no letter that can be taken for another when read over the telephone.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHANGHAI = ZoneInfo("Asia/Shanghai")
_LETTER_OF = (LETTERS * 8).encode()
_ALIKE = str.maketrans("OIL", "011")


def fresh(now: dt.datetime, *, mark: str = "") -> str:
    """A new number: `mark`, six digits of the day here and fifty random bits,
    e.g. 201020-7K3M9-QPDXW."""
    return several(now, 1, mark=mark)[0]


def several(now: dt.datetime, count: int, *, mark: str = "") -> list[str]:
    """So many new numbers."""
    day = f"{mark}{now.astimezone(SHANGHAI):%y%m%d}"
    # All chance at once; of each byte the letter that its last five bits name.
    chance = secrets.token_bytes(10 * count).translate(_LETTER_OF).decode()
    return [f"{day}-{chance[n : n + 5]}-{chance[n + 5 : n + 10]}" for n in range(0, 10 * count, 10)]


def as_written(typed: str, *, mark: str = "") -> str:
    """What somebody typed, as the number would be written; "" when it cannot be one."""
    plain = unicodedata.normalize("NFKC", typed).upper().translate(_ALIKE)
    letters = "".join(letter for letter in plain if letter in LETTERS)
    if not letters.startswith(mark):
        return ""
    letters = letters.removeprefix(mark)
    return f"{mark}{letters[:6]}-{letters[6:11]}-{letters[11:]}" if len(letters) == 16 else ""
