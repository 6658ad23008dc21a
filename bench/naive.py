"""The reference for posting: what a first Flask tutorial would write. The same duties as ours
(forgery token, the same form, is it open, was it sent before, throttle, comment, audit row, count),
done the way tutorials do them: ORM objects loaded, changed and committed, SQLite as it comes."""

import datetime as dt
import os
import secrets

import sqlalchemy as sa
from flask import Flask, redirect, render_template_string
from flask_wtf import FlaskForm
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length


class Base(DeclarativeBase):
    """Plain declarative base."""


class Consultation(Base):
    """What is commented on."""

    __tablename__ = "consultation"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    closes_at: Mapped[dt.datetime]
    received: Mapped[int] = mapped_column(default=0)


class Version(Base):
    """The text that is commented on."""

    __tablename__ = "version"
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))


class Comment(Base):
    """One comment."""

    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("version.id"))
    number: Mapped[int]
    receipt: Mapped[str] = mapped_column(unique=True)
    form_key: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    stance: Mapped[str | None]
    at: Mapped[dt.datetime]


class Throttle(Base):
    """How often an address has written."""

    __tablename__ = "throttle"
    address: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class Audit(Base):
    """One act."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    thing: Mapped[str]
    at: Mapped[dt.datetime]


class CommentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The form."""

    body = TextAreaField(validators=[Length(10, 2000)])
    stance = RadioField(
        choices=[SelectChoice(each, each) for each in ("", "suggest", "support", "oppose")],
        default="",
    )
    contact = StringField(validators=[Length(max=100)])
    name = StringField(validators=[Length(max=40)])
    show_name = BooleanField()
    consent = BooleanField(validators=[InputRequired()])
    form_key = HiddenField()


def create_app() -> Flask:
    """The tutorial's application on the database named by NAIVE_DATABASE."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("NAIVE_SECRET", "naive")
    engine = sa.create_engine(f"sqlite:///{os.environ['NAIVE_DATABASE']}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        if session.get(Consultation, 1) is None:
            closes_at = dt.datetime(2100, 1, 1)
            session.add(Consultation(id=1, slug="bench", closes_at=closes_at))
            session.add(Version(id=1, consultation_id=1))
            session.add(Throttle(address="127.0.0.1", count=0))
            session.commit()

    @app.get("/")
    def form() -> str:
        return render_template_string(
            "<form method=post>{{ form.csrf_token }}{{ form.body }}{{ form.stance }}</form>",
            form=CommentForm(),
        )

    @app.post("/")
    def send() -> object:
        form = CommentForm()
        if not form.validate_on_submit():
            return "invalid", 422
        now = dt.datetime.now()
        with Session(engine) as session:
            consultation = session.scalars(
                sa.select(Consultation).where(Consultation.slug == "bench")
            ).one()
            if consultation.closes_at <= now:
                return "closed", 409
            version = session.scalars(
                sa.select(Version).where(Version.consultation_id == consultation.id)
            ).one()
            key = form.form_key.data
            earlier = session.scalars(sa.select(Comment).where(Comment.form_key == key)).first()
            if earlier is not None:
                return redirect(f"/receipts/{earlier.receipt}")
            throttle = session.get(Throttle, "127.0.0.1") or Throttle(address="127.0.0.1", count=0)
            throttle.count += 1
            session.add(throttle)
            consultation.received += 1
            receipt = secrets.token_hex(8)
            session.add(
                Comment(
                    consultation_id=consultation.id,
                    version_id=version.id,
                    number=consultation.received,
                    receipt=receipt,
                    form_key=key,
                    body=form.body.data,
                    stance=form.stance.data or None,
                    at=now,
                )
            )
            session.add(Audit(action="comment.received", thing=receipt, at=now))
            session.commit()
        return redirect(f"/receipts/{receipt}")

    return app
