"""What every spelled draft of QuickBooks shares: references, amounts, addresses, the private note. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.ledgers.base import LedgerProfile
from domain.documents import Address, Reference
from domain.money import smallest_unit
from domain.taxes import TaxModel

MEMO_MAX = 4000
COMPANY_NAME_MAX = 100
EMAIL_MAX = 100
PHONE_MAX = 30
SKU_MAX = 100
_EMAIL = re.compile(r"^[^@\s,;<>]+@[^@\s,;<>]+$")

Ids = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Spelling:
    """What of the company decides how drafts are written."""

    tax_model: TaxModel
    country: str
    multi_currency: bool

    @classmethod
    def of(cls, profile: LedgerProfile | None) -> Spelling:
        if profile is None:
            return cls(TaxModel.EXPLICIT_TOTAL, "US", False)
        return cls(profile.tax_model, profile.country, profile.multi_currency)


def note(memo: str, marker: str) -> str:
    """PrivateNote: the memo is cut where needed, the marker never, because it proves that the record is ours."""
    room = MEMO_MAX - len(marker) - 1
    cut = memo.strip()[: max(room, 0)].rstrip()
    return f"{cut} {marker}" if cut else marker


def ref(reference: Reference, ids: Ids) -> dict[str, str]:
    """Raises KeyError for a reference that has no id yet."""
    found = reference.ledger_id if reference.ledger_id is not None else ids[(reference.kind, reference.key)]
    return {"value": found}


def amount(value: Decimal, currency: str) -> Decimal:
    """With the currency's decimals shown. A finer amount is left as it is: rounding is not done here."""
    padded = value.quantize(smallest_unit(currency))
    return padded if padded == value else value


def address(source: Address) -> dict[str, str]:
    fields = {
        "Line1": (source.line1, 500),
        "Line2": (source.line2, 500),
        "City": (source.city, 255),
        "CountrySubDivisionCode": (source.region, 255),
        "PostalCode": (source.postal_code, 30),
        "Country": (source.country, 255),
    }
    return {name: text.strip()[:most] for name, (text, most) in fields.items() if text.strip()}


def usable_email(email: str) -> bool:
    """QuickBooks refuses a whole record for one bad address (2210), and takes only one address here."""
    return len(email.strip()) <= EMAIL_MAX and bool(_EMAIL.match(email.strip()))
