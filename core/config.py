"""Settings of a running copy: environment first, then `instance/settings.toml`, then defaults.

A missing secret key is generated once into `instance/secret_key` (mode 600), so that a fresh
clone starts safely without anybody choosing a password.
"""

import dataclasses
import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click import ClickException
from flask import current_app

MEGABYTE = 1024 * 1024
_YES_OR_NO = {"true": True, "1": True, "yes": True, "on": True}
_YES_OR_NO |= {"false": False, "0": False, "no": False, "off": False}


class BadSetting(ClickException):
    """A setting that is none or has no such value, in a sentence for the operator; a command ends
    with it."""


def _setting(
    default: Any,
    why: str = "",
    *,
    least: int | None = None,
    most: int | None = None,
    pattern: str = "",
    choices: tuple[str, ...] = (),
) -> Any:
    """A setting of the kind of its default; `why` it is there, and which values it may have."""
    held = {"why": why, "least": least, "most": most, "pattern": pattern, "choices": choices}
    return dataclasses.field(default=default, metadata=held)


@dataclasses.dataclass(slots=True)
class Settings:
    """What an operator may set; every name is also an environment variable, e.g. `SITE_URL`.

    Values are taken as they are or as text, as an environment has them. Raises BadSetting.
    """

    secret_key: str = ""
    database_url: str = ""
    site_name: str = "问计"
    site_owner: str = _setting("", "who runs the site, in the header and the footer")
    site_contact: str = _setting("", "how to reach them, in the footer of every page")
    site_url: str = _setting("", "links in mail and feeds; no slash; empty: this machine at PORT")
    complaints: str = _setting(
        "12345 市民服务热线",
        "where to complain when the answer does not satisfy, in the statements",
    )
    security_contact: str = _setting(
        "",
        "who hears of weak spots, for security.txt; empty: the page for corrections",
        pattern="(mailto:|tel:|https://)[!-~]+",
    )
    trusted_hosts: list[str] = dataclasses.field(default_factory=list)  # empty: any host
    proxy_hops: int = _setting(0, "reverse proxies whose X-Forwarded-* count", least=0, most=5)
    dask_scheduler: str = _setting(
        "", "tcp://…: heavy computing on other machines; empty: on this one"
    )
    https_only: bool = _setting(False, "secure cookies and HSTS")
    contact_key: str = _setting("", "Fernet keys, comma separated, newest first")
    totp_key: str = _setting("", "seals the secrets of authenticator apps")
    comments_per_hour: int = _setting(20, "one address, without proof of work", least=1)
    comments_per_hour_proven: int = _setting(200, "one address, with proof of work", least=1)
    corrections_per_hour: int = _setting(10, "one address, 纠错", least=1)
    mail_sender: str = _setting("console", '"console", "smtp", "none" or "module:function"')
    text_sender: str = _setting(
        "console", 'for mobile numbers: "console", "none" or "module:function"'
    )
    mail_from: str = _setting("wenji@localhost", "the sender of every mail")
    smtp_host: str = "127.0.0.1"
    smtp_port: int = _setting(25, least=1, most=65535)
    smtp_security: str = _setting("none", choices=("none", "starttls", "tls"))
    smtp_user: str = ""
    smtp_password: str = ""
    proof_of_work_cost: int = _setting(50_000, "hashes a browser tries at most", least=1000)

    def __post_init__(self) -> None:
        for setting in dataclasses.fields(self):
            setattr(self, setting.name, _checked(setting, getattr(self, setting.name)))


def _checked(setting: dataclasses.Field[Any], value: Any) -> Any:
    """The value in the kind of the setting; raises BadSetting where it is of none it may have."""
    held = setting.metadata
    if setting.type is bool:
        value = _YES_OR_NO.get(value.lower()) if isinstance(value, str) else value
        fits, wanted = isinstance(value, bool), "true 或 false"
    elif setting.type is int:
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", value):
            value = int(value)
        least, most = held.get("least"), held.get("most")
        fits = isinstance(value, int) and not isinstance(value, bool)
        fits = fits and (least is None or value >= least) and (most is None or value <= most)
        wanted = f"不小于{least}" + (f"、不大于{most}" if most is not None else "") + "的整数"
    elif setting.type is str:
        pattern, choices = held.get("pattern"), held.get("choices")
        fits = isinstance(value, str) and (not choices or value in choices)
        fits = fits and (not pattern or not value or bool(re.fullmatch(pattern, value)))
        wanted = "、".join(choices) if choices else f"形如 {pattern}" if pattern else "文字"
    else:
        value = _list_in(value) if isinstance(value, str) else value
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
        wanted = '列表，环境变量里写成 ["…", "…"]'
    if not fits:
        raise BadSetting(f"设置 {setting.name} 的值不对，应当是：{wanted}。")
    return value


def _list_in(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _given(file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """What is set, by name; the environment goes before the file, and what is empty there is not
    set. Other programs' variables are none of ours; another name in the file is a slip."""
    known = {setting.name for setting in dataclasses.fields(Settings)}
    told = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if unknown := sorted(told.keys() - known):
        raise BadSetting(f"{file.name} 里有不认识的设置：{'、'.join(unknown)}。")
    in_small = {name.lower(): value for name, value in environment.items() if value}
    return told | {name: in_small[name] for name in known & in_small.keys()}


def read_settings(instance: Path) -> Settings:
    """Read the settings of the copy that owns the folder `instance`. Raises BadSetting."""
    settings = Settings(**_given(instance / "settings.toml", os.environ))
    settings.secret_key = settings.secret_key or _kept_secret(instance, "secret_key")
    settings.contact_key = settings.contact_key or _kept_fernet_key(instance)
    settings.totp_key = settings.totp_key or _kept_secret(instance, "totp_key")
    at = f"http://127.0.0.1:{os.environ.get('PORT') or '8000'}"
    settings.site_url = settings.site_url or at
    settings.database_url = settings.database_url or f"sqlite:///{instance / 'wenji.sqlite3'}"
    return settings


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
