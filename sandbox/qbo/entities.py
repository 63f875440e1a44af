"""Which entities there are, how each is listed and filtered, and what may be done to it.

Only tables. Adding an entity is adding its properties to ``properties``, a row here and, where it has rules of
its own, a module that registers a writer in ``writes``. Source: the entity pages of Intuit's API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.qbo.fields import Field
from sandbox.qbo.properties import (
    ACCOUNT,
    ATTACHABLE,
    BILL,
    BILL_PAYMENT,
    CLASS,
    COMPANY_CURRENCY,
    COMPANY_INFO,
    CREDIT_MEMO,
    CUSTOMER,
    DEPARTMENT,
    EMPLOYEE,
    EXCHANGE_RATE,
    INVOICE,
    ITEM,
    PAYMENT,
    PAYMENT_METHOD,
    PREFERENCES,
    PURCHASE_ORDER,
    TAX_AGENCY,
    TAX_CODE,
    TAX_RATE,
    TERM,
    VENDOR,
)

NAMES = ("Id", "Active", "MetaData.CreateTime", "MetaData.LastUpdatedTime")
PEOPLE = (
    *NAMES,
    "DisplayName",
    "GivenName",
    "MiddleName",
    "FamilyName",
    "CompanyName",
    "PrintOnCheckName",
    "Balance",
    "PrimaryEmailAddr",
)
TXN = (
    "Id",
    "DocNumber",
    "TxnDate",
    "DueDate",
    "TotalAmt",
    "Balance",
    "CustomerRef",
    "SalesTermRef",
    "DepartmentRef",
    "MetaData.CreateTime",
    "MetaData.LastUpdatedTime",
)


@dataclass(frozen=True)
class Entity:
    """One row: its properties, which of them a query may name, and what may be done (letters of ``can``).

    ``can``: C create, U update, D delete, V void, S send and PDF. Reading and querying always work.
    ``name`` is the property that names a list record; transactions have none.
    """

    kind: str
    fields: Mapping[str, Field]
    filters: tuple[str, ...]
    can: str
    name: str = ""
    cdc: bool = True

    @property
    def is_list(self) -> bool:
        return bool(self.name)


# fmt: off
_ITEM = ("Name", "Sku", "Type", "FullyQualifiedName", "Description", "UnitPrice", "PurchaseCost", "Taxable",
         "ParentRef", "IncomeAccountRef")
_ACCOUNT = ("Name", "AcctNum", "AccountType", "AccountSubType", "Classification", "FullyQualifiedName",
            "CurrentBalance", "SubAccount")
_PERSON = ("FullyQualifiedName", "Job", "ParentRef", "Taxable")
_COMPANY = ("Id", "MetaData.LastUpdatedTime")
# fmt: on

ENTITIES: dict[str, Entity] = {
    entity.kind.lower(): entity
    for entity in (
        Entity("Customer", CUSTOMER, (*PEOPLE, *_PERSON), "CU", "DisplayName"),
        Entity("Vendor", VENDOR, (*PEOPLE, "Vendor1099"), "CU", "DisplayName"),
        Entity("Employee", EMPLOYEE, PEOPLE, "CU", "DisplayName"),
        Entity("Item", ITEM, (*NAMES, *_ITEM), "CU", "Name"),
        Entity("Account", ACCOUNT, (*NAMES, *_ACCOUNT), "CU", "Name"),
        Entity("Term", TERM, (*NAMES, "Name", "DueDays", "Type"), "CU", "Name"),
        Entity("Class", CLASS, (*NAMES, "Name", "FullyQualifiedName"), "CU", "Name"),
        Entity("Department", DEPARTMENT, (*NAMES, "Name", "FullyQualifiedName"), "CU", "Name"),
        Entity("PaymentMethod", PAYMENT_METHOD, (*NAMES, "Name", "Type"), "CU", "Name"),
        Entity("TaxCode", TAX_CODE, (*NAMES, "Name"), "", "Name", cdc=False),
        Entity("TaxRate", TAX_RATE, (*NAMES, "Name"), "", "Name", cdc=False),
        Entity("TaxAgency", TAX_AGENCY, (*NAMES, "DisplayName"), "C", "DisplayName", cdc=False),
        Entity("Invoice", INVOICE, TXN, "CUDVS"),
        Entity("CreditMemo", CREDIT_MEMO, TXN, "CUDS"),
        Entity("Payment", PAYMENT, TXN, "CUDV"),
        Entity("Bill", BILL, (*TXN, "VendorRef", "APAccountRef"), "CUD"),
        Entity("BillPayment", BILL_PAYMENT, (*_COMPANY, "TxnDate", "TotalAmt", "VendorRef"), "CDV"),
        Entity("PurchaseOrder", PURCHASE_ORDER, (*TXN, "VendorRef", "APAccountRef", "POStatus"), "CUD"),
        Entity("Attachable", ATTACHABLE, ("Id", "FileName", "Note", "MetaData.LastUpdatedTime"), "CUD"),
        Entity("CompanyCurrency", COMPANY_CURRENCY, (*NAMES, "Code", "Name"), "CU", "Name"),
        Entity("ExchangeRate", EXCHANGE_RATE, ("SourceCurrencyCode", "AsOfDate", "Rate"), ""),
        Entity("CompanyInfo", COMPANY_INFO, _COMPANY, ""),
        Entity("Preferences", PREFERENCES, _COMPANY, "U"),
    )
}
