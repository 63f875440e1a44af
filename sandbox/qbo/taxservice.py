"""TaxService: making a tax code with its rates. The answer is unwrapped, as on the real service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.qbo import chart
from sandbox.qbo.errors import bad_reference, fault, required, too_long
from sandbox.qbo.fields import number_of
from sandbox.qbo.realm import Realm


def create(realm: Realm, body: Mapping[str, Any]) -> dict[str, Any]:
    """A new tax code over new or existing rates. Names are unique; rates lie between 0 and 100 percent."""
    name = str(body.get("TaxCode") or "").strip()
    if not name:
        raise required("TaxCode")
    if len(name) > 100:
        raise too_long("TaxCode", 100, len(name))
    taken = {found["entity"]["Name"].casefold() for found in realm.records("TaxCode")}
    if name.casefold() in taken:
        raise fault("6240", "The name supplied already exists. : Another tax code is already using this name.")
    details = body.get("TaxRateDetails") or []
    if not details:
        raise required("TaxRateDetails")
    rates = [_rate(realm, detail) for detail in details]
    ident = realm.new_id("TaxCode")
    chart.add_code(realm, ident, name, name, [rate["TaxRateId"] for rate in rates])
    return {"TaxCode": name, "TaxCodeId": ident, "TaxRateDetails": rates}


def _rate(realm: Realm, detail: Mapping[str, Any]) -> dict[str, Any]:
    known = detail.get("TaxRateId")
    if known:
        if realm.record("TaxRate", str(known)) is None:
            raise bad_reference("TaxRate", known)
        return {"TaxRateId": str(known), "TaxApplicableOn": detail.get("TaxApplicableOn", "Sales")}
    name = str(detail.get("TaxRateName") or "").strip()
    if not name:
        raise required("TaxRateName")
    percent = number_of("RateValue", detail.get("RateValue"))
    if not 0 <= percent <= 100:
        raise fault("2090", "RateValue must lie between 0 and 100", "RateValue")
    agency = str(detail.get("TaxAgencyId") or "")
    if realm.record("TaxAgency", agency) is None:
        raise bad_reference("TaxAgency", agency)
    return {
        "TaxRateName": name,
        "TaxRateId": chart.add_rate(realm, name, percent, agency),
        "RateValue": percent,
        "TaxAgencyId": agency,
        "TaxApplicableOn": detail.get("TaxApplicableOn", "Sales"),
    }
