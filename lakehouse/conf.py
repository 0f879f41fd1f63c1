"""Settings. The only module that reads the environment."""

import os
import tomllib
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from lakehouse.errors import DeclarationError, InputMissing, nearest

ROOT = Path(__file__).resolve().parents[1]
PROFILES = ("local", "compose", "cluster")


def conf_dir() -> Path:
    """Return the folder of settings: BANGFU_CONF, or conf/ beside the packages."""
    return Path(os.environ.get("BANGFU_CONF", ROOT / "conf")).resolve()


def home_dir() -> Path:
    """Return where the lake, landing and stores lie: BANGFU_HOME, or .bangfu here."""
    return Path(os.environ.get("BANGFU_HOME", ".bangfu")).resolve()


def cache_dir() -> Path:
    """Return where downloads that every checkout shares are kept (jars)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("BANGFU_CACHE", Path(base) / "bangfu"))


def feed_dirs() -> list[Path]:
    """Return the folders of feed mappings, a user's own (BANGFU_FEEDS) after ours."""
    own = os.environ.get("BANGFU_FEEDS")
    return [conf_dir() / "feeds", *([Path(own).resolve()] if own else [])]


def use_feeds(folder: Path) -> None:
    """Add a user's folder of mappings for this process and those that it starts.

    Raises InputMissing where there is no mapping in it.
    """
    if not any(folder.glob("*.toml")):
        what = "has no mapping (*.toml)" if folder.is_dir() else "is no folder"
        raise InputMissing(f"--feeds {folder}: it {what}.")
    os.environ["BANGFU_FEEDS"] = str(folder.resolve())


def use_home(folder: Path) -> None:
    """Take another home for this process and those that it starts."""
    os.environ["BANGFU_HOME"] = str(folder.resolve())


@dataclass(frozen=True)
class Settings:
    """The settings of one profile, paths filled in."""

    profile: str
    home: Path
    sections: dict[str, dict[str, Any]] = field(repr=False)

    def get(self, section: str, key: str) -> str:
        """Return one setting as text. Raises DeclarationError for an unknown name."""
        values = self.sections.get(section)
        if values is None:
            raise DeclarationError(
                f"conf has no section [{section}].{nearest(section, list(self.sections))}"
            )
        if key not in values:
            raise DeclarationError(
                f"conf section [{section}] has no key {key!r}.{nearest(key, list(values))}"
            )
        return str(values[key])

    @property
    def lake(self) -> str:
        return self.get("lake", "root").rstrip("/")

    @property
    def landing(self) -> Path:
        return Path(self.get("lake", "landing"))

    @property
    def zone(self) -> str:
        return self.get("clock", "zone")


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file. Raises InputMissing or DeclarationError naming the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputMissing(
            f"{path} is not there. Set BANGFU_CONF to the folder of settings."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{path} is not valid TOML: {error}.") from None


def settings() -> Settings:
    """Return the settings of the profile in force (BANGFU_PROFILE, by default local)."""
    profile = os.environ.get("BANGFU_PROFILE", "local")
    home = home_dir()
    base = read_toml(conf_dir() / "base.toml")
    over_file = conf_dir() / f"{profile}.toml"
    if not over_file.exists():
        profiles = [p.stem for p in conf_dir().glob("*.toml") if p.stem in PROFILES]
        raise InputMissing(
            f"BANGFU_PROFILE={profile}: {over_file} is not there.{nearest(profile, profiles)}"
        )
    sections: dict[str, dict[str, Any]] = {name: dict(values) for name, values in base.items()}
    for name, values in read_toml(over_file).items():
        sections.setdefault(name, {}).update(values)
    for name, value in os.environ.items():
        if name.startswith("BANGFU__"):
            section, _, key = name.removeprefix("BANGFU__").partition("__")
            sections.setdefault(section.lower(), {})[key if section == "SPARK" else key.lower()] = (
                value
            )
    filled = {
        name: {
            key: value.replace("{home}", str(home)) if isinstance(value, str) else value
            for key, value in values.items()
        }
        for name, values in sections.items()
    }
    return Settings(profile, home, filled)


def is_ci() -> bool:
    """Tell whether this is continuous integration, where a missing part fails a test."""
    return os.environ.get("CI", "").lower() in ("1", "true")


@cache
def method_parameters() -> dict[str, dict[str, Any]]:
    """Return conf/methods.toml: for each job its parameters, each `{value, source}`."""
    return read_toml(conf_dir() / "methods.toml")


def inherited(area_code: str) -> list[str]:
    """Return an area and those it inherits from: county -> city -> province -> nation."""
    county = (area_code + "000000")[:6]
    return list(dict.fromkeys([county, county[:4] + "00", county[:2] + "0000", "000000"]))


def as_date(value: object) -> date:
    """Return a TOML date or an ISO text as a date."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))
