"""Settings of a running copy: where they come from, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core import config
from core.config import BadSetting, Settings

ROOT = Path(config.__file__).parents[1]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An instance folder, and an environment without settings."""
    for name in [name for name in os.environ if name.lower() in Settings.model_fields]:
        monkeypatch.delenv(name)
    return tmp_path


def _file(instance: Path, text: str) -> None:
    (instance / "settings.toml").write_text(text, encoding="utf-8")


def test_the_environment_goes_before_the_file_and_the_file_before_the_defaults(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _file(instance, 'site_name = "问计于民"\nproxy_hops = 1\ntrusted_hosts = ["a.example"]\n')
    monkeypatch.setenv("PROXY_HOPS", "2")
    monkeypatch.setenv("https_only", "True")
    # As a script leaves it that has nothing to say.
    monkeypatch.setenv("SITE_NAME", "")
    read = config.read_settings(instance)
    assert (read.site_name, read.proxy_hops, read.https_only) == ("问计于民", 2, True)
    assert read.trusted_hosts == ["a.example"]
    assert read.smtp_port == 25


def test_an_environment_has_only_text(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "TRUSTED_HOSTS": '["a.example", "b.example"]',
        "SMTP_PORT": "587",
        "HTTPS_ONLY": "off",
        "SITE_NAME": "12345",
    }.items():
        monkeypatch.setenv(name, text)
    read = config.read_settings(instance)
    assert read.trusted_hosts == ["a.example", "b.example"]
    assert (read.smtp_port, read.https_only, read.site_name) == (587, False, "12345")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PROXY_HOPS", value) for value in ("-1", "6", "1.5", "one")),
        *(("SMTP_PORT", value) for value in ("0", "65536", "9" * 5000)),
        ("HTTPS_ONLY", "maybe"),
        *(("TRUSTED_HOSTS", value) for value in ("a.example", "{}", "[1]", "[", "a,b")),
        *(("SMTP_SECURITY", value) for value in ("ssl", "TLS")),
        ("SECURITY_CONTACT", "safe@example.gov.cn"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(
    instance: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=f"(?i){name}"):
        config.read_settings(instance)


@pytest.mark.parametrize(
    "line", ["site_name = 5", "proxy_hops = 6", "trusted_hosts = 'a.example'", "smtp_port = [25]"]
)
def test_so_is_one_in_the_file(instance: Path, line: str) -> None:
    _file(instance, line)
    with pytest.raises(BadSetting, match=f"设置 {line.split()[0]} 的值不对"):
        config.read_settings(instance)


@pytest.mark.parametrize("text", ["site_name = ", "[", "site_name = '\udcff'"])
def test_a_file_that_cannot_be_read_is_named(instance: Path, text: str) -> None:
    (instance / "settings.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadSetting, match=r"settings\.toml 读不出来"):
        config.read_settings(instance)


def test_a_name_in_the_file_that_is_no_setting_is_refused(instance: Path) -> None:
    _file(instance, 'site_nam = "问计"\nsite_names = "问计"\n')
    with pytest.raises(BadSetting, match="不认识的设置：site_nam、site_names"):
        config.read_settings(instance)


@pytest.mark.parametrize("command", [["app.py"], ["-m", "flask", "--app", "app", "demo", "list"]])
def test_whoever_starts_the_site_reads_one_sentence(command: list[str]) -> None:
    told = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"PROXY_HOPS": "many"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 1
    assert told.stderr.strip().removeprefix("Error: ") == (
        "设置 proxy_hops 的值不对。每一项可以填什么，写在 core/config.py 里。"
    )
