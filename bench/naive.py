"""The reference for posting: what a first Flask tutorial would write. Same duties (forgery token,
validation, one comment, one audit row, one count), ORM and SQLite as they come."""

import datetime as dt
import os
import secrets

import sqlalchemy as sa
from flask import Flask, redirect, render_template_string
from flask_wtf import FlaskForm
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from wtforms import TextAreaField
from wtforms.validators import Length


class Base(DeclarativeBase):
    """Plain declarative base."""


class Draft(Base):
    """What is commented on."""

    __tablename__ = "draft"
    id: Mapped[int] = mapped_column(primary_key=True)
    comments: Mapped[int] = mapped_column(default=0)


class Comment(Base):
    """One comment."""

    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(sa.ForeignKey("draft.id"), index=True)
    receipt: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    at: Mapped[dt.datetime]


class Audit(Base):
    """One act."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    at: Mapped[dt.datetime]


class CommentForm(FlaskForm):  # type: ignore[misc]
    """The form."""

    body = TextAreaField(validators=[Length(10, 2000)])


def create_app() -> Flask:
    """The tutorial's application on the database named by NAIVE_DATABASE."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("NAIVE_SECRET", "naive")
    engine = sa.create_engine(f"sqlite:///{os.environ['NAIVE_DATABASE']}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        if session.get(Draft, 1) is None:
            session.add(Draft(id=1))
            session.commit()

    @app.get("/")
    def form() -> str:
        return render_template_string(
            "<form method=post>{{ form.csrf_token }}{{ form.body }}</form>", form=CommentForm()
        )

    @app.post("/")
    def send() -> object:
        form = CommentForm()
        if not form.validate_on_submit():
            return "invalid", 422
        with Session(engine) as session:
            draft = session.get_one(Draft, 1)
            receipt = secrets.token_hex(8)
            now = dt.datetime.now(dt.UTC)
            session.add(Comment(draft_id=1, receipt=receipt, body=form.body.data, at=now))
            session.add(Audit(action="comment.received", at=now))
            draft.comments += 1
            session.commit()
        return redirect(f"/receipts/{receipt}")

    return app
