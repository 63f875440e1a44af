"""Company preferences: what a new company has and how a client changes them. One record, id 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.qbo.errors import business, fault
from sandbox.qbo.realm import Realm

READ_ONLY = ("Id", "SyncToken", "MetaData", "domain", "sparse")


def initial(currency: str, tax: dict[str, Any], *, custom_numbers: bool, multicurrency: bool) -> dict[str, Any]:
    """The preference groups of a new company."""
    return {
        "AccountingInfoPrefs": {
            "FirstMonthOfFiscalYear": "January",
            "UseAccountNumbers": False,
            "TaxYearMonth": "January",
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "TrackDepartments": True,
            "CustomerTerminology": "Customers",
            "DepartmentTerminology": "Location",
        },
        "ProductAndServicesPrefs": {
            "ForSales": True,
            "ForPurchase": True,
            "QuantityWithPriceAndRate": True,
            "QuantityOnHand": True,
        },
        "SalesFormsPrefs": {
            "CustomTxnNumbers": custom_numbers,
            "AllowDeposit": False,
            "AllowDiscount": True,
            "AllowEstimates": True,
            "AllowServiceDate": True,
            "AllowShipping": False,
            "AutoApplyCredit": False,
            "IPNSupportEnabled": False,
            "ETransactionEnabledStatus": "NotApplicable",
            "ETransactionPaymentEnabled": False,
            "UsingPriceLevels": False,
            "UsingProgressInvoicing": False,
        },
        "EmailMessagesPrefs": {
            "InvoiceMessage": {"Subject": "Invoice from the sandbox", "Message": "Your invoice is attached."},
        },
        "VendorAndPurchasesPrefs": {"BillableExpenseTracking": True, "TrackingByCustomer": True},
        "TimeTrackingPrefs": {"UseServices": True, "BillCustomers": True, "WorkWeekStartDate": "Monday"},
        "TaxPrefs": tax,
        "CurrencyPrefs": {"MultiCurrencyEnabled": multicurrency, "HomeCurrency": {"value": currency}},
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "OtherPrefs": {
            "NameValue": [
                {"Name": "SalesFormsPrefs.DefaultCustomerMessage", "Value": "Thank you."},
                {"Name": "VendorAndPurchasesPrefs.UseCustomTxnNumbers", "Value": "false"},
            ]
        },
    }


def update(realm: Realm, body: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Change what is sent, group by group. Multicurrency cannot be switched off again."""
    entity = dict(old["entity"])
    for group, members in body.items():
        if group in READ_ONLY:
            continue
        if group not in entity or not isinstance(members, Mapping):
            raise fault("2010", f"Property Name:{group} specified is unsupported or invalid", "Preferences")
        entity[group] = {**entity[group], **members}
    was = old["entity"]["CurrencyPrefs"]["MultiCurrencyEnabled"]
    if was and not entity["CurrencyPrefs"]["MultiCurrencyEnabled"]:
        raise business("Multicurrency can't be turned off once it is on.", "CurrencyPrefs")
    return realm.replace(old, entity, {})


def change(realm: Realm, group: str, **members: Any) -> None:
    """Set members of one group from the sandbox's control side, with the same effects as a client's update."""
    old = realm.record("Preferences", "1")
    if old is None:
        raise KeyError(f"company {realm.id} has no preferences")
    update(realm, {group: members}, old)
