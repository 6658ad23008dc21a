"""Proof of work: a small sum that a browser does while a person types, instead of a picture to
read. Nothing to see, hear or solve; without script the form works too, only more slowly."""

import datetime as dt
import json

import sqlalchemy as sa
from altcha import v1 as altcha
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, db, insert_into

ALIVE = dt.timedelta(hours=8)
PRUNED_AT_ONCE = 10


class UsedProof(Base):
    """A proof that has been spent; kept until it would have expired anyway."""

    __tablename__ = "used_proof"

    signature: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


def challenge(secret: str, *, cost: int, now: dt.datetime) -> str:
    """A fresh challenge as the JSON that the page's script reads."""
    wanted = altcha.ChallengeOptions(hmac_key=secret, max_number=cost, expires=now + ALIVE)
    made = altcha.create_challenge(wanted)
    # The names of ALTCHA's protocol; the library's own `to_dict` writes `maxNumber`.
    said = {"algorithm": made.algorithm, "challenge": made.challenge, "maxnumber": made.max_number}
    return json.dumps(said | {"salt": made.salt, "signature": made.signature})


def accept(secret: str, payload: str, *, now: dt.datetime) -> bool:
    """Whether `payload` proves work done for this site, lately, and not spent before.

    Spends it, in the current transaction.
    """
    if not payload or len(payload) > 2000:
        return False
    try:
        proof = altcha.Payload.from_base64(payload)
        right, _why = altcha.verify_solution(payload, secret, check_expires=False)
        expires = float(altcha.extract_params(proof.to_dict())["expires"][0])
        expires_at = dt.datetime.fromtimestamp(expires, dt.UTC)
    except Exception:  # the library raises whatever a malformed payload happens to trip over
        return False
    return right and now < expires_at and _spend(proof.signature, expires_at, now)


def _spend(signature: str, expires_at: dt.datetime, now: dt.datetime) -> bool:
    spent = (
        insert_into(UsedProof)
        .values(signature=signature, expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(UsedProof.signature)
    )
    if db.session.execute(spent).first() is None:
        return False
    _prune(now)
    return True


def _prune(now: dt.datetime) -> None:
    """Forget some proofs that have expired; none that another transaction holds."""
    over = (
        sa.select(UsedProof.signature)
        .where(UsedProof.expires_at <= now)
        .limit(PRUNED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    db.session.execute(
        sa.delete(UsedProof).where(UsedProof.signature.in_(over)),
        execution_options={"synchronize_session": False},
    )
