"""Programme files: one YAML file is one programme. Reading refuses with line and reason and stores
nothing; docs/programme-files.md says how such a file is written."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from flask_babel import gettext as _

from consult.programme_files import agreement, located_yaml, shape
from consult.programme_files.loading import Loaded, take_in
from consult.programme_files.located_yaml import Mistake
from consult.programme_files.shape import ProgrammeFile
from core import audit
from core.errors import Refused

MOST_SHOWN = 20


class BadFile(Refused):
    """A programme file that was not loaded, with everything that is wrong in it."""

    def __init__(self, name: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: mistake.line)
        shown = [
            _("第%(line)d行：%(why)s", line=mistake.line, why=mistake.why)
            for mistake in self.mistakes[:MOST_SHOWN]
        ]
        if (more := len(self.mistakes) - MOST_SHOWN) > 0:
            shown.append(_("另有%(n)d处问题，改好上面的再试。", n=more))
        super().__init__("\n".join([_("文件%(name)s没有载入：", name=name), *shown]))


def read(source: bytes, *, name: str) -> ProgrammeFile:
    """The programme file in `source`; `name` is what a refusal calls it."""
    try:
        located = located_yaml.read(source)
    except located_yaml.NotReadable as error:
        raise BadFile(name, [error.mistake]) from error
    file, faults = shape.check(located.value)
    if file is not None:
        faults = agreement.check(file)
    if file is None or faults:
        raise BadFile(name, (Mistake(located.line(path), why) for path, why in faults))
    return file


def load(path: Path, *, example: bool = False, by: audit.Actor, now: dt.datetime) -> Loaded:
    """Bring the tables to what the file at `path` says; see `take_in`."""
    with path.open("rb") as stream:
        # One byte more than allowed is enough to know; the rest of a huge file stays unread.
        source = stream.read(located_yaml.MOST_BYTES + 1)
    return take_in(read(source, name=path.name), example=example, by=by, now=now)
