"""Stances (态度): what the author ticked, or what the words say."""

from enum import Enum

from flask_babel import gettext as _


class Stance(Enum):
    """态度: what the author ticked, or what the words say."""

    SUGGEST = "suggest"
    SUPPORT = "support"
    OPPOSE = "oppose"
    QUESTION = "question"
    APPEAL = "appeal"
    NONE = "none"

    @property
    def title(self) -> str:
        """The stance in the words of the page."""
        titles: dict[Stance, str] = {
            Stance.SUGGEST: _("建议"),
            Stance.SUPPORT: _("赞成"),
            Stance.OPPOSE: _("反对"),
            Stance.QUESTION: _("疑问"),
            Stance.APPEAL: _("诉求"),
            Stance.NONE: _("未表明"),
        }
        return titles[self]
