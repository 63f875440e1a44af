"""Picklists: labels in their published order, with numbers that differ from tenant to tenant.

The vendor publishes no numbers, so a tenant's come from its seed, except the few that samples of the vendor and
products in use agree on. A client that hard-codes a number fails here. Lists that mirror an entity (terms, tax
regions, action types) take its ids.
"""

import random
from dataclasses import dataclass
from typing import Any

from sandbox.store import Store


@dataclass(frozen=True)
class Picklist:
    """Labels, the numbers known in public, or the entity whose rows are the values."""

    labels: tuple[str, ...] = ()
    fixed: tuple[tuple[str, int], ...] = ()
    entity: str | None = None
    inactive: tuple[str, ...] = ()
    text_values: bool = False


def _labels(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


PICKLISTS: dict[str, Picklist] = {
    "billingItemType": Picklist(
        _labels(
            "Labor, Project Cost, Ticket Cost, Expense, Subscription, Setup Fee, Recurring Services, "
            "Recurring Services Adjustment, Recurring Service Bundle, Recurring Service Bundle Adjustment, Milestone, "
            "Contract Block, Contract Retainer, Contract Cost, Contract Incident"
        ),
        (("Labor", 1),),
    ),
    "subType": Picklist(
        _labels(
            "Labor, Milestone Labor, Project Cost Deductions, Project Cost, Ticket Cost Deductions, Ticket Cost, "
            "Expense, Expense Deductions, Subscription, Subscription Cost, Setup Fee, Recurring Services, "
            "Recurring Services Adjustment, Recurring Service Bundle, Recurring Service Bundle Adjustment, Milestones, "
            "Block Purchase, Retainer Purchase, Ticket Purchase"
        ),
        (("Labor", 1),),
    ),
    "invoiceStatus": Picklist(_labels("New, Sent, Viewed")),
    "useType": Picklist(
        _labels("General, Expense, Internal, Material Cost, Recurring Contract Service, Milestone, Product"),
        (("General", 1), ("Internal", 3)),
    ),
    "billingCodeType": Picklist(
        _labels("Normal, System, Non-Billable"), (("Normal", 0), ("System", 1), ("Non-Billable", 2))
    ),
    "generalLedgerAccount": Picklist(
        _labels(
            "4000 Managed Services, 4100 Labour, 4200 Hardware, 4300 Projects, 4400 Prepaid Blocks, 4900 Other Income"
        )
    ),
    "companyType": Picklist(
        _labels("Customer, Lead, Prospect, Dead, Cancellation, Vendor, Partner"),
        (("Customer", 1), ("Prospect", 3), ("Vendor", 7)),
    ),
    "purchaseOrderStatus": Picklist(_labels("New, Submitted, Received Partial, Received Full, Canceled")),
    "useItemDescriptionsFrom": Picklist(_labels("Product (Catalog), Quote Item, Charge")),
    "classification": Picklist(_labels("Platinum, Gold, Silver, Retired"), inactive=("Retired",)),
    "billToAddressToUse": Picklist(_labels("NONE, ACCOUNT, ACCOUNTBILLING, PARENT, PARENTBILLING")),
    "invoiceMethod": Picklist(_labels("None, Print, Email, PrintAndEmail")),
    "periodType": Picklist(_labels("Monthly, Quarterly, Semi-Annually, Yearly")),
    "actionTypeView": Picklist(_labels("None, Calendar, To Do, Both")),
    "licenseType": Picklist(_labels("Professional, Executive, Team Member, API User (system) (API-only)")),
    "userType": Picklist(_labels("System Administrator, Manager, API User (system)")),
    "resourceType": Picklist(_labels("Employee, Contractor"), text_values=True),
    "displaySymbol": Picklist(_labels("$, £, €, A$, C$")),
    "timeZoneID": Picklist(_labels("(GMT) London, (GMT-05:00) Eastern Time, (GMT+10:00) Sydney")),
    "paymentTerm": Picklist(entity="PaymentTerms"),
    "taxGroup": Picklist(entity="TaxRegions"),
    "actionType": Picklist(entity="ActionTypes"),
}


def numbers(seed: int, name: str) -> dict[str, int]:
    """Label -> number of one list for a tenant with this picklist seed; the same every time."""
    picklist = PICKLISTS[name]
    known = dict(picklist.fixed)
    dice = random.Random(f"{seed}/{name}")
    free = [n for n in range(2, 40 + 7 * len(picklist.labels)) if n not in known.values()]
    drawn = iter(dice.sample(free, len(picklist.labels)))
    return {label: known[label] if label in known else next(drawn) for label in picklist.labels}


def values(store: Store, space: str, seed: int, name: str) -> list[dict[str, Any]]:
    """The list as `entityInformation/fields` gives it: values are strings, inactive ones are there."""
    picklist = PICKLISTS[name]
    if picklist.entity:
        rows = [
            (row["id"], row.get("name") or "", row.get("isActive", True) is not False)
            for row in store.all(space, picklist.entity)
        ]
    elif picklist.text_values:
        rows = [(label, label, True) for label in picklist.labels]
    else:
        rows = [(number, label, label not in picklist.inactive) for label, number in numbers(seed, name).items()]
    return [
        {
            "value": str(value),
            "label": label,
            "isDefaultValue": False,
            "sortOrder": place,
            "parentValue": "",
            "isActive": active,
            "isSystem": place == 1,
        }
        for place, (value, label, active) in enumerate(rows, start=1)
    ]
