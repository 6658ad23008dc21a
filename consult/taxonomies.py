"""By what points are filed besides the research topic: the fields of the discussion (领域) and the
special plans (专项规划). Both are the programme's data; a programme without either is filed without."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from consult.programmes import Programme

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """What may be chosen: (key, title) in the order of the programme file."""

    fields: Choices
    plans: Choices

    def holds(self, field: str, plan: str) -> bool:
        """Whether both may be chosen; "" always may."""
        return field in {"", *(key for key, _title in self.fields)} and plan in {
            "",
            *(key for key, _title in self.plans),
        }

    def titles(self, field: str, plan: str) -> list[str]:
        """What a point is filed under, in words; what the programme no longer has is left out."""
        every = [*(t for key, t in self.fields if key == field)]
        return every + [t for key, t in self.plans if key == plan]

    def labelled(self, field: str, plan: str) -> list[str]:
        """The same for those who read it apart from the form: each with what it is."""
        fields = [_("领域：%(name)s", name=t) for key, t in self.fields if key == field]
        return fields + [_("专项规划：%(name)s", name=t) for key, t in self.plans if key == plan]


def of(programme: Programme) -> Taxonomy:
    """The fields and special plans of a programme."""
    plans = programme.facts.get("special_plans", ())
    return Taxonomy(
        # A field is known by its name.
        [(each.name, each.name) for each in programme.discussion_fields],
        [(each["key"], each["title"]) for each in plans],
    )
