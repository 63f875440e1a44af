"""Creating, changing and deleting rows: what is writable, what is checked, what the service says then.

Facts: updates go to the collection path with the id in the body; success is always 200 `{"itemId": n}`; every
refusal is a 500 with texts (their wording is ours where it is not published). No row version, last write wins.
"""

from decimal import Decimal
from typing import Any

from sandbox.autotask import answers, picklists, purchasing, todos
from sandbox.autotask.access import Caller
from sandbox.autotask.entities import ENTITIES, Entity, Field
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import Row, midnight_text, moment_text, parse_moment


def create(caller: Caller, entity: Entity, body: Row, parent_id: int | None) -> int:
    """Add a row under its parent, if it has one. Raises Refused."""
    tenant = caller.tenant
    row = _clean(tenant, entity, body, creating=True)
    if entity.parent_field and parent_id is not None:
        if row.setdefault(entity.parent_field, parent_id) != parent_id:
            raise answers.errors(f"{entity.parent_field} does not match the parent in the address.")
        _reference(tenant, entity.fields[entity.parent_field], parent_id)
    missing = [f.name for f in entity.fields.values() if f.required and row.get(f.name) in (None, "")]
    if missing:
        raise answers.errors(*(f"Missing Required Field: {name}." for name in missing))
    now = moment_text(tenant.world.clock.now())
    stamps = {
        "createDateTime": now,
        "createDate": now,
        "lastModifiedDate": now,
        "lastTrackedModifiedDateTime": now,
        "creatorResourceID": caller.impersonated or caller.resource,
        "createdByResourceID": caller.resource,
        "createdTime": now,
        "receivedByResourceID": caller.impersonated or caller.resource,
        "impersonatorCreatorResourceID": caller.resource if caller.impersonated else None,
    }
    row |= {name: value for name, value in stamps.items() if name in entity.fields}
    _check(tenant, entity, row)
    row = purchasing.created(tenant, entity.name, row)
    id = tenant.add(entity.name, row)
    purchasing.settle(tenant, entity.name, row)
    return id


def update(caller: Caller, entity: Entity, body: Row, parent_id: int | None, *, whole: bool) -> int:
    """Change a row named by `id` in the body; `whole` (PUT) empties the writable fields left out."""
    tenant = caller.tenant
    given = {str(name).lower(): value for name, value in body.items()}
    id = given.pop("id", None)
    row = tenant.row(entity.name, id) if isinstance(id, int) and not isinstance(id, bool) else None
    if row is None or (parent_id is not None and row.get(entity.parent_field or "") != parent_id):
        raise _nothing_found("update")
    changes = _blanking(tenant, entity, _clean(tenant, entity, given, creating=False, held=row))
    if whole:
        emptied: Row = {f.name: None for f in entity.fields.values() if not f.read_only and not f.create_only}
        changes = emptied | changes
    for name, value in changes.items():
        if value is None and entity.fields[name].required:
            raise answers.errors(f"Missing Required Field: {name}.")
    now = moment_text(tenant.world.clock.now())
    stamps: Row = {name: now for name in ("lastModifiedDate", "lastTrackedModifiedDateTime") if name in entity.fields}
    changed = {**row, **changes, **stamps}
    _check(tenant, entity, changed)
    tenant.save(entity.name, purchasing.changed(tenant, entity.name, row, changed))
    return int(row["id"])


def _blanking(tenant: Tenant, entity: Entity, changes: Row) -> Row:
    """Without the texts that are to be blanked in a way that this database takes and does not carry out."""
    idle = {"empty": None, "null": ""}.get(tenant.switch("blank_by"), ...)
    return {name: value for name, value in changes.items() if entity.fields[name].kind != "s" or value != idle}


def delete(caller: Caller, entity: Entity, id: int, parent_id: int | None) -> int:
    """Remove a row. Raises Refused when there is none, or it is a system row."""
    tenant = caller.tenant
    row = tenant.row(entity.name, id)
    if row is None or (parent_id is not None and row.get(entity.parent_field or "") != parent_id):
        raise _nothing_found("delete")
    if row.get("isSystemActionType"):
        raise answers.errors("System action types cannot be deleted.")
    tenant.world.store.delete(tenant.space, entity.name, id)
    return id


def _nothing_found(verb: str) -> answers.Refused:
    return answers.errors(
        f"No matching records found. The logged in Resource may not have the required permissions to {verb} the data."
    )


def _clean(tenant: Tenant, entity: Entity, body: Row, *, creating: bool, held: Row | None = None) -> Row:
    """The writable fields of a body under their own names, each checked. Raises Refused."""
    row: Row = {}
    for asked, value in body.items():
        if str(asked).lower() == "userdefinedfields" and entity.udfs:
            row["userDefinedFields"] = value
            continue
        name = entity.by_lower.get(str(asked).lower())
        if name is None:
            raise answers.errors(f"Unable to find {asked} in the {entity.singular} Entity.")
        field = entity.fields[name]
        if creating and name == "id" and value in (0, None):
            continue
        if field.create_only and held is not None and held.get(name) == value:
            continue
        if field.read_only or (field.create_only and not creating):
            raise answers.errors(f"The field {name} of {entity.singular} is read-only.")
        row[name] = _value(tenant, field, value)
    return row


def _value(tenant: Tenant, field: Field, value: Any) -> Any:
    """One value in the form it is stored in. Raises Refused."""
    if value is None or (value == "" and field.kind != "s"):
        return None
    wrong = answers.errors(f"The value of {field.name} is not a valid {field.type_name}.")
    if field.kind == "s":
        if len(str(value)) > field.length:
            raise answers.errors(f"The value of {field.name} exceeds the maximum length of {field.length}.")
        return str(value)
    if field.kind in ("dt", "date"):
        try:
            moment = parse_moment(str(value))
        except ValueError as error:
            raise wrong from error
        day_only = field.kind == "date" or (
            field.name == "webServiceDate" and tenant.switch("web_service_date") == "date"
        )
        return midnight_text(moment.date()) if day_only else moment_text(moment)
    if field.kind == "b":
        if str(value).lower() not in ("true", "false"):
            raise wrong
        return str(value).lower() == "true"
    return _number(tenant, field, value, wrong)


def _number(tenant: Tenant, field: Field, value: Any, wrong: answers.Refused) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise wrong
    if field.kind in ("i", "l") and value != int(value):
        raise wrong
    if field.picklist:
        _picklist(tenant, field, value)
    if field.reference:
        _reference(tenant, field, value)
    return value if field.kind == "d" else int(value)


def _picklist(tenant: Tenant, field: Field, value: Any) -> None:
    listed = picklists.values(
        tenant.world.store, tenant.space, int(tenant.switch("picklist_seed")), field.picklist or ""
    )
    if not any(entry["value"] == str(value) and entry["isActive"] for entry in listed):
        raise answers.errors(f"Picklist value [{value}] does not exist for {field.name}.")


def _reference(tenant: Tenant, field: Field, value: Any) -> None:
    if field.reference in ENTITIES and tenant.row(field.reference, value) is None:
        raise answers.errors(f"The value {value} of {field.name} does not exist or is invalid.")


def _check(tenant: Tenant, entity: Entity, row: Row) -> None:
    """Rules between fields; those of purchase orders are in purchasing.py."""
    if entity.name == "CompanyToDos":
        todos.check(tenant, row)
