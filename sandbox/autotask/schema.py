"""How the entities of the simulated Autotask are written down: one line per field, routes beside them.

One line per field: `name type flags`. Types: l long, i integer, d decimal, b boolean, dt moment in UTC,
date a day (time of day dropped), s<n> text of at most n characters. Flags: R required on create, RO read-only,
NQ not queryable, NC read-only after creation, P:<name> picklist, ->Entity reference.
"""

from dataclasses import dataclass, field

TYPE_NAMES = {"l": "long", "i": "integer", "d": "decimal", "b": "boolean", "dt": "datetime", "date": "datetime"}


@dataclass(frozen=True)
class Field:
    """One field as `entityInformation/fields` describes it. `kind` is one of the short types above."""

    name: str
    kind: str
    length: int = 0
    required: bool = False
    read_only: bool = False
    create_only: bool = False
    queryable: bool = True
    picklist: str | None = None
    reference: str | None = None

    @property
    def type_name(self) -> str:
        """The word the metadata uses."""
        return TYPE_NAMES.get(self.kind, "string")


@dataclass(frozen=True)
class Entity:
    """One entity and its routes: `verbs` on the root path, `child_verbs` under `/{parent}/{id}/{child}`."""

    name: str
    singular: str
    fields: dict[str, Field]
    verbs: frozenset[str] = frozenset()
    parent: str | None = None
    parent_field: str | None = None
    child: str | None = None
    child_verbs: frozenset[str] = frozenset()
    udfs: bool = False
    indexed: tuple[str, ...] = ()
    by_lower: dict[str, str] = field(default_factory=dict)


def _field(line: str) -> Field:
    name, kind, *flags = line.split()
    length = int(kind[1:]) if kind[0] == "s" else 0
    return Field(
        name=name,
        kind="s" if length else kind,
        length=length,
        required="R" in flags,
        read_only="RO" in flags or name == "id",
        create_only="NC" in flags,
        queryable="NQ" not in flags,
        picklist=next((f[2:] for f in flags if f.startswith("P:")), None),
        reference=next((f[2:] for f in flags if f.startswith("->")), None),
    )


def entity(
    name: str,
    singular: str,
    lines: str,
    verbs: str = "",
    parent: str | None = None,
    parent_field: str | None = None,
    child: str | None = None,
    child_verbs: str = "",
    udfs: bool = False,
    indexed: tuple[str, ...] = (),
) -> Entity:
    fields = [_field(line) for line in ["id l RO", *(part.strip() for part in lines.split("|"))] if line]
    return Entity(
        name,
        singular,
        {f.name: f for f in fields},
        frozenset(verbs.split()),
        parent,
        parent_field,
        child,
        frozenset(child_verbs.split()),
        udfs,
        indexed,
        {f.name.lower(): f.name for f in fields},
    )
