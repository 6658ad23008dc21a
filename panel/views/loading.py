"""Loading what every page of the panel's register stands on: the programme and its fields."""

from flask_babel import gettext as _

from consult import programmes, topics
from consult.programmes import Programme
from core.errors import Refused


def programme() -> Programme:
    """The newest programme; refuses where none is loaded yet."""
    found = programmes.newest()
    if found is None:
        raise Refused(_("还没有规划编制工作，请先载入工作文件。"))
    return found


def fields(of: Programme) -> dict[str, str]:
    """The titles of the programme's topics by their keys."""
    return {topic.key: topic.title for topic in topics.of(of)}
