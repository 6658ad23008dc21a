"""Proof of work: a small sum that a browser does while a person types, instead of a picture to
read. Nothing to see, hear or solve; without script the form works too, only more slowly."""

import datetime as dt
import json

import sqlalchemy as sa
from altcha import v1 as altcha
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, db

ALIVE = dt.timedelta(hours=8)


class UsedProof(Base):
    """A proof that has been spent; kept until it would have expired anyway."""

    __tablename__ = "used_proof"

    signature: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


def challenge(secret: str, *, cost: int, now: dt.datetime) -> str:
    """A fresh challenge as the JSON that the page's script reads."""
    wanted = altcha.ChallengeOptions(hmac_key=secret, max_number=cost, expires=now + ALIVE)
    made = altcha.create_challenge(wanted)
    return json.dumps(made.to_dict())


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
    except Exception:  # the library raises whatever a malformed payload happens to trip over
        return False
    expires_at = dt.datetime.fromtimestamp(expires, dt.UTC)
    return right and now < expires_at and _spend(proof.signature, expires_at)


def _spend(signature: str, expires_at: dt.datetime) -> bool:
    try:
        with db.session.begin_nested():
            db.session.execute(
                sa.insert(UsedProof).values(signature=signature, expires_at=expires_at)
            )
    except IntegrityError:
        return False
    return True


def prune(now: dt.datetime) -> None:
    """Forget proofs that have expired."""
    db.session.execute(sa.delete(UsedProof).where(UsedProof.expires_at < now))
