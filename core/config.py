"""Settings of a running copy: environment first, then `instance/settings.toml`, then defaults.

A missing secret key is generated once into `instance/secret_key` (mode 600), so that a fresh
clone starts safely without anybody choosing a password.
"""

import os
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any, Literal

from click import ClickException
from flask import current_app
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

MEGABYTE = 1024 * 1024


class BadSetting(ClickException):
    """A setting that is none or has no such value, in a sentence for the operator; a command ends
    with it."""


class Settings(BaseSettings):
    """What an operator may set; every name is also an environment variable, e.g. `SITE_URL`."""

    model_config = SettingsConfigDict(extra="forbid", env_ignore_empty=True)

    secret_key: str = ""
    database_url: str = ""
    site_name: str = "问计"
    site_owner: str = Field(
        default="", description="who runs the site, in the header and the footer"
    )
    site_contact: str = Field(
        default="", description="how to reach them, in the footer of every page"
    )
    site_url: str = Field(
        default="", description="links in mail and feeds; no slash; empty: this machine at PORT"
    )
    complaints: str = Field(
        default="12345 市民服务热线",
        description="where to complain when the answer does not satisfy, in the statements",
    )
    security_contact: str = Field(
        default="",
        pattern=r"^$|^(mailto:|tel:|https://)[!-~]+$",
        description="who hears of weak spots, for security.txt; empty: the page for corrections",
    )
    trusted_hosts: list[str] = Field(default_factory=list, description="empty: any host")
    proxy_hops: int = Field(
        default=0, ge=0, le=5, description="reverse proxies whose X-Forwarded-* count"
    )
    dask_scheduler: str = Field(
        default="", description="tcp://…: heavy computing on other machines; empty: on this one"
    )
    https_only: bool = Field(default=False, description="secure cookies and HSTS")
    contact_key: str = Field(default="", description="Fernet keys, comma separated, newest first")
    totp_key: str = Field(default="", description="seals the secrets of authenticator apps")
    comments_per_hour: int = Field(
        default=20, ge=1, description="one address, without proof of work"
    )
    comments_per_hour_proven: int = Field(
        default=200, ge=1, description="one address, with proof of work"
    )
    corrections_per_hour: int = Field(default=10, ge=1, description="one address, 纠错")
    mail_sender: str = Field(
        default="console", description='"console", "smtp", "none" or "module:function"'
    )
    text_sender: str = Field(
        default="console", description='for mobile numbers: "console", "none" or "module:function"'
    )
    mail_from: str = Field(default="wenji@localhost", description="the sender of every mail")
    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_user: str = ""
    smtp_password: str = ""
    proof_of_work_cost: int = Field(
        default=50_000, ge=1000, description="hashes a browser tries at most"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # What is handed over was read from the file, and the environment goes before the file.
        return env_settings, init_settings


def read_settings(instance: Path) -> Settings:
    """Read the settings of the copy that owns the folder `instance`. Raises BadSetting."""
    settings = _checked(instance / "settings.toml")
    settings.secret_key = settings.secret_key or _kept_secret(instance, "secret_key")
    settings.contact_key = settings.contact_key or _kept_fernet_key(instance)
    settings.totp_key = settings.totp_key or _kept_secret(instance, "totp_key")
    at = f"http://127.0.0.1:{os.environ.get('PORT') or '8000'}"
    settings.site_url = settings.site_url or at
    settings.database_url = settings.database_url or f"sqlite:///{instance / 'wenji.sqlite3'}"
    return settings


def _checked(file: Path) -> Settings:
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return Settings(**told)
    except ValueError as error:
        if not isinstance(error, ValidationError | SettingsError):
            # Of the file's form; pydantic's own are values, too.
            raise BadSetting(
                f"{file.name} 读不出来：{error}。请改正，或删去以后重新填写。"
            ) from error
        raise BadSetting(_in_words(error, file)) from error


def _in_words(error: ValidationError | SettingsError, file: Path) -> str:
    """What is wrong with which settings, in one sentence."""
    if isinstance(error, SettingsError):
        # Of what is a list, it names the setting and nothing more.
        name = re.search(r'"(\w+)"', str(error))
        return f'环境变量 {name[1].upper() if name else ""} 应当写成列表，例如 ["a.example"]。'
    found = [(str(each["loc"][0]), each["type"]) for each in error.errors(include_input=False)]
    unknown = [name for name, kind in found if kind == "extra_forbidden"]
    if unknown:
        return f"{file.name} 里有不认识的设置：{'、'.join(unknown)}。"
    wrong = "、".join(dict.fromkeys(name for name, _kind in found))
    return f"设置 {wrong} 的值不对。每一项可以填什么，写在 core/config.py 里。"


def of_site() -> Settings:
    """The settings of the site that is answering."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def flask_config(settings: Settings) -> dict[str, Any]:
    """The settings as Flask and its extensions want to read them."""
    url = settings.database_url
    if url.startswith(("postgres://", "postgresql://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    return {
        "SECRET_KEY": settings.secret_key,
        "SETTINGS": settings,
        "SITE_NAME": settings.site_name,
        "SITE_OWNER": settings.site_owner,
        "SITE_CONTACT": settings.site_contact,
        "COMPLAINTS": settings.complaints,
        "SQLALCHEMY_ENGINES": {"default": {"url": url}},
        # Flask's own form limits cover multipart bodies only; this one covers every body.
        "MAX_CONTENT_LENGTH": 25 * MEGABYTE,
        "MAX_FORM_MEMORY_SIZE": 1 * MEGABYTE,
        "MAX_FORM_PARTS": 500,
        "TRUSTED_HOSTS": settings.trusted_hosts or None,
        "SESSION_COOKIE_NAME": "wenji",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.https_only,
        "SEND_FILE_MAX_AGE_DEFAULT": 3600,
        "BOOTSTRAP_SERVE_LOCAL": True,
        "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        "WTF_CSRF_TIME_LIMIT": 8 * 3600,
        "ALEMBIC": {"script_location": str(Path(__file__).parent / "migrations")},
        "ALEMBIC_CONTEXT": {"render_as_batch": True, "compare_type": True},
    }


def _kept_secret(instance: Path, name: str) -> str:
    return _kept(instance, name, secrets.token_urlsafe(48))


def _kept_fernet_key(instance: Path) -> str:
    # Fernet keys are 32 random bytes in URL-safe base 64, padding included.
    return _kept(instance, "contact_key", secrets.token_urlsafe(32) + "=")


def _kept(instance: Path, name: str, fresh: str) -> str:
    """Return the secret kept in `instance/name`; make it, readable by the owner only, when new."""
    path = instance / name
    instance.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(fresh)
    return fresh
