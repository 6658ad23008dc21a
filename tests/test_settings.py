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
    for name in [name for name in os.environ if name.lower() in Settings.__annotations__]:
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
        "SMTP_PORT": " 587 ",
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
        *(("proxy_hops", value) for value in ("-1", "6", 6, "1.0", 1.0, "one", "", True, None)),
        *(("smtp_port", value) for value in (0, 65536, "٢٥", "9" * 5000)),
        *(("https_only", value) for value in ("maybe", "", 1, None)),
        *(("site_name", value) for value in (5, True, None, ["a"])),
        *(("trusted_hosts", value) for value in ("a.example", "{}", "[1]", "[", [1], "a,b")),
        *(("smtp_security", value) for value in ("ssl", "", "TLS")),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(BadSetting, match=f"设置 {name} 的值不对"):
        Settings(**{name: value})  # type: ignore[arg-type]  # what a file may hold


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
        "设置 proxy_hops 的值不对，应当是：不小于0、不大于5的整数。"
    )
