"""`entityInformation`, its fields and user-defined fields: what a client must read instead of assuming."""

from typing import Any

from sandbox.autotask import picklists
from sandbox.autotask.entities import ENTITIES, Entity
from sandbox.autotask.tenants import Tenant


def information(entity: Entity, updatable: bool = True) -> dict[str, Any]:
    """The answer of `/{Entity}/entityInformation`."""
    verbs = entity.verbs | entity.child_verbs
    can = {
        "Create": "POST" in verbs,
        "Delete": "DELETE" in verbs,
        "Query": True,
        "Update": "PATCH" in verbs and updatable,
    }
    info: dict[str, Any] = {"name": entity.singular}
    info |= {f"can{name}": value for name, value in can.items()}
    info |= {f"userAccessFor{name}": int(value) for name, value in can.items()}
    return {
        "info": {
            **info,
            "hasUserDefinedFields": entity.udfs,
            "supportsWebhookCallouts": entity.name in ("Companies", "Contacts"),
        }
    }


def hidden_information(singular: str) -> dict[str, Any]:
    """The same for an entity of a module the tenant does not own: nothing is allowed."""
    names = ("Create", "Delete", "Query", "Update")
    return {
        "info": {
            "name": singular,
            **{f"can{name}": False for name in names},
            **{f"userAccessFor{name}": 0 for name in names},
            "hasUserDefinedFields": False,
            "supportsWebhookCallouts": False,
        }
    }


def fields(tenant: Tenant, entity: Entity) -> dict[str, Any]:
    """The answer of `/{Entity}/entityInformation/fields`."""
    seed = int(tenant.switch("picklist_seed"))
    return {
        "fields": [
            {
                "name": field.name,
                "dataType": field.type_name,
                "length": field.length,
                "isRequired": field.required,
                "isReadOnly": field.read_only,
                "isQueryable": field.queryable,
                "isReference": field.reference is not None,
                "referenceEntityType": _singular(field.reference),
                "isPickList": field.picklist is not None,
                "picklistValues": picklists.values(tenant.world.store, tenant.space, seed, field.picklist)
                if field.picklist
                else None,
                "picklistParentValueField": "",
                "isSupportedWebhookField": False,
            }
            for field in entity.fields.values()
        ]
    }


def _singular(reference: str | None) -> str:
    return ENTITIES[reference].singular if reference in ENTITIES else (reference or "")
