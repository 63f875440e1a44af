"""The properties of every entity and line: name, kind, limit. Plain tables, from Intuit's entity pages.

What may be done with an entity and how it is queried stands in ``entities``.
"""

from __future__ import annotations

from sandbox.qbo.fields import (
    ADDRESS,
    ANY,
    DAY,
    EMAIL,
    FLAG,
    MEMO,
    NUMBER,
    PHONE,
    READ_ONLY,
    WEB,
    Field,
    choice,
    record,
    records,
    ref,
    text,
)

COMMON: dict[str, Field] = dict.fromkeys(("Id", "SyncToken", "MetaData", "domain", "sparse", "status"), READ_ONLY)
PERSON_NAMES = {
    "Title": text(16),
    "GivenName": text(100),
    "MiddleName": text(100),
    "FamilyName": text(100),
    "Suffix": text(16),
    "DisplayName": text(500),
    "PrintOnCheckName": text(110),
    "Active": FLAG,
}
CONTACT = {
    "CompanyName": text(100),
    "PrimaryPhone": PHONE,
    "AlternatePhone": PHONE,
    "Mobile": PHONE,
    "Fax": PHONE,
    "PrimaryEmailAddr": EMAIL,
    "WebAddr": WEB,
    "BillAddr": ADDRESS,
    "CurrencyRef": ref("Currency"),
    "Balance": READ_ONLY,
    "Notes": text(2000),
    "V4IDPseudonym": READ_ONLY,
    "OpenBalanceDate": READ_ONLY,
}

CUSTOMER = (
    COMMON
    | PERSON_NAMES
    | CONTACT
    | {
        "ShipAddr": ADDRESS,
        "ParentRef": ref("Customer"),
        "Job": FLAG,
        "BillWithParent": FLAG,
        "Level": READ_ONLY,
        "SalesTermRef": ref("Term"),
        "PaymentMethodRef": ref("PaymentMethod"),
        "Taxable": FLAG,
        "DefaultTaxCodeRef": ref("TaxCode"),
        "TaxExemptionReasonId": text(10),
        "ResaleNum": text(16),
        "PreferredDeliveryMethod": choice("Print", "Email", "None"),
        "IsProject": READ_ONLY,
        "BalanceWithJobs": READ_ONLY,
        "FullyQualifiedName": READ_ONLY,
        "ARAccountRef": ref("Account"),
        "PrimaryTaxIdentifier": text(30),
        "ClientEntityId": READ_ONLY,
        "CustomerTypeRef": ANY,
        "BusinessNumber": text(10),
        "GSTIN": text(15),
        "GSTRegistrationType": text(15),
    }
)
VENDOR = (
    COMMON
    | PERSON_NAMES
    | CONTACT
    | {
        "TermRef": ref("Term"),
        "AcctNum": text(100),
        "TaxIdentifier": text(20),
        "TaxReportingBasis": text(20),
        "Vendor1099": FLAG,
        "BillRate": NUMBER,
        "CostRate": NUMBER,
        "APAccountRef": ref("Account"),
        "VendorPaymentBankDetail": ANY,
        "BusinessNumber": text(10),
    }
)
EMPLOYEE = (
    COMMON
    | PERSON_NAMES
    | {
        "PrimaryAddr": ADDRESS,
        "PrimaryPhone": PHONE,
        "Mobile": PHONE,
        "PrimaryEmailAddr": EMAIL,
        "SSN": text(100),
        "EmployeeNumber": text(100),
        "BillableTime": FLAG,
        "BillRate": NUMBER,
        "CostRate": NUMBER,
        "BirthDate": DAY,
        "HiredDate": DAY,
        "ReleasedDate": DAY,
        "Gender": text(10),
        "Organization": FLAG,
        "V4IDPseudonym": READ_ONLY,
    }
)
ITEM = COMMON | {
    "Name": text(100),
    "Sku": text(100),
    "Description": text(4000),
    "PurchaseDesc": text(1000),
    "Active": FLAG,
    "UnitPrice": NUMBER,
    "PurchaseCost": NUMBER,
    "RatePercent": NUMBER,
    "Taxable": FLAG,
    "SubItem": FLAG,
    "Type": choice("Service", "NonInventory", "Inventory", "Category", "Group"),
    "ParentRef": ref("Item"),
    "IncomeAccountRef": ref("Account"),
    "ExpenseAccountRef": ref("Account"),
    "AssetAccountRef": ref("Account"),
    "TrackQtyOnHand": FLAG,
    "QtyOnHand": NUMBER,
    "InvStartDate": DAY,
    "SalesTaxCodeRef": ref("TaxCode"),
    "PurchaseTaxCodeRef": ref("TaxCode"),
    "SalesTaxIncluded": FLAG,
    "PurchaseTaxIncluded": FLAG,
    "PrefVendorRef": ref("Vendor"),
    "ClassRef": ref("Class"),
    "ReorderPoint": NUMBER,
    "Level": READ_ONLY,
    "FullyQualifiedName": READ_ONLY,
    "ItemGroupDetail": ANY,
    "Source": READ_ONLY,
    "DeferredRevenue": FLAG,
    "TaxClassificationRef": ANY,
    "UQCDisplayText": text(100),
    "UQCId": text(100),
    "AbatementRate": NUMBER,
    "ReverseChargeRate": NUMBER,
    "ServiceType": text(100),
    "ItemCategoryType": text(50),
}
ACCOUNT = COMMON | {
    "Name": text(100),
    "AcctNum": text(20),
    "AccountType": text(60),
    "AccountSubType": text(80),
    "Description": text(100),
    "ParentRef": ref("Account"),
    "SubAccount": FLAG,
    "Active": FLAG,
    "CurrencyRef": ref("Currency"),
    "TaxCodeRef": ref("TaxCode"),
    "TxnLocationType": text(50),
    "AccountAlias": text(100),
    "Classification": READ_ONLY,
    "CurrentBalance": READ_ONLY,
    "CurrentBalanceWithSubAccounts": READ_ONLY,
    "FullyQualifiedName": READ_ONLY,
}
TERM = COMMON | {
    "Name": text(31),
    "Active": FLAG,
    "Type": READ_ONLY,
    "DueDays": NUMBER,
    "DiscountDays": NUMBER,
    "DiscountPercent": NUMBER,
    "DayOfMonthDue": NUMBER,
    "DueNextMonthDays": NUMBER,
    "DiscountDayOfMonth": NUMBER,
}
TREE = COMMON | {"Name": text(100), "Active": FLAG, "ParentRef": ref("Class"), "FullyQualifiedName": READ_ONLY}
CLASS = TREE | {"SubClass": FLAG}
DEPARTMENT = TREE | {"SubDepartment": FLAG, "ParentRef": ref("Department"), "Address": ADDRESS}
PAYMENT_METHOD = COMMON | {"Name": text(31), "Active": FLAG, "Type": choice("CREDIT_CARD", "NON_CREDIT_CARD")}

LINE_COMMON = {
    "Id": text(20),
    "LineNum": NUMBER,
    "Description": text(4000),
    "Amount": NUMBER,
    "DetailType": text(60),
    "LinkedTxn": ANY,
    "CustomField": ANY,
    "Received": NUMBER,
}
SALES_DETAIL = record(
    ItemRef=ref("Item"),
    Qty=NUMBER,
    UnitPrice=NUMBER,
    RatePercent=NUMBER,
    TaxCodeRef=ref("TaxCode"),
    ClassRef=ref("Class"),
    DepartmentRef=ref("Department"),
    ServiceDate=DAY,
    DiscountRate=NUMBER,
    DiscountAmt=NUMBER,
    TaxInclusiveAmt=NUMBER,
    ItemAccountRef=ref("Account"),
    MarkupInfo=ANY,
    PriceLevelRef=ANY,
    DeferredRevenue=FLAG,
    TaxClassificationRef=ANY,
    UOMRef=ANY,
)
DISCOUNT_DETAIL = record(
    PercentBased=FLAG,
    DiscountPercent=NUMBER,
    DiscountAccountRef=ref("Account"),
    ClassRef=ref("Class"),
    TaxCodeRef=ref("TaxCode"),
    Discount=ANY,
)
SALES_LINE = LINE_COMMON | {
    "SalesItemLineDetail": SALES_DETAIL,
    "DiscountLineDetail": DISCOUNT_DETAIL,
    "SubTotalLineDetail": ANY,
    "SubtotalLineDetail": ANY,
    "DescriptionLineDetail": ANY,
    "GroupLineDetail": ANY,
}
TAX_DETAIL = record(
    TotalTax=NUMBER,
    TxnTaxCodeRef=ref("TaxCode"),
    DefaultTaxCodeRef=ref("TaxCode"),
    TaxLine=ANY,
    TaxReviewStatus=ANY,
)
CUSTOM_FIELD = records(DefinitionId=text(10), Type=text(20), Name=text(30), StringValue=text(31))
GLOBAL_TAX = choice("TaxExcluded", "TaxInclusive", "NotApplicable")

TRANSACTION = COMMON | {
    "DocNumber": text(21),
    "TxnDate": DAY,
    "PrivateNote": text(4000),
    "CurrencyRef": ref("Currency"),
    "ExchangeRate": NUMBER,
    "DepartmentRef": ref("Department"),
    "LinkedTxn": ANY,
    "TotalAmt": READ_ONLY,
    "Balance": READ_ONLY,
    "HomeTotalAmt": READ_ONLY,
    "HomeBalance": READ_ONLY,
    "TxnTaxDetail": TAX_DETAIL,
    "GlobalTaxCalculation": GLOBAL_TAX,
    "Line": ANY,
    "RecurDataRef": ANY,
    "TxnSource": READ_ONLY,
    "TransactionLocationType": text(50),
    "TxnStatus": READ_ONLY,
    "AttachableRef": ANY,
}
SALES = TRANSACTION | {
    "CustomerRef": ref("Customer"),
    "ClassRef": ref("Class"),
    "SalesTermRef": ref("Term"),
    "CustomerMemo": MEMO,
    "BillAddr": ADDRESS,
    "ShipAddr": ADDRESS,
    "ShipFromAddr": ADDRESS,
    "BillEmail": EMAIL,
    "BillEmailCc": EMAIL,
    "BillEmailBcc": EMAIL,
    "EmailStatus": choice("NotSet", "NeedToSend", "EmailSent"),
    "PrintStatus": choice("NotSet", "NeedToPrint", "PrintComplete"),
    "ApplyTaxAfterDiscount": FLAG,
    "CustomField": CUSTOM_FIELD,
    "FreeFormAddress": FLAG,
    "DepositToAccountRef": ref("Account"),
    "DeliveryInfo": READ_ONLY,
    "TaxExemptionRef": ANY,
    "ShipMethodRef": ANY,
    "ShipDate": DAY,
    "TrackingNum": text(31),
    "ProjectRef": ANY,
    "ARAccountRef": ref("Account"),
    "PaymentMethodRef": ref("PaymentMethod"),
}
INVOICE = SALES | {
    "DueDate": DAY,
    "Deposit": NUMBER,
    "AllowIPNPayment": FLAG,
    "AllowOnlinePayment": FLAG,
    "AllowOnlineCreditCardPayment": FLAG,
    "AllowOnlineACHPayment": FLAG,
    "InvoiceLink": READ_ONLY,
    "EInvoiceStatus": READ_ONLY,
}
PAYMENT = COMMON | {
    "CustomerRef": ref("Customer"),
    "TotalAmt": NUMBER,
    "UnappliedAmt": READ_ONLY,
    "TxnDate": DAY,
    "Line": ANY,
    "PaymentRefNum": text(21),
    "PaymentMethodRef": ref("PaymentMethod"),
    "DepositToAccountRef": ref("Account"),
    "ARAccountRef": ref("Account"),
    "PrivateNote": text(4000),
    "CurrencyRef": ref("Currency"),
    "ExchangeRate": NUMBER,
    "ProcessPayment": FLAG,
    "CreditCardPayment": ANY,
    "TaxExemptionRef": ANY,
    "TxnSource": READ_ONLY,
    "LinkedTxn": READ_ONLY,
    "TransactionLocationType": text(50),
}
EXPENSE = {
    "CustomerRef": ref("Customer"),
    "ClassRef": ref("Class"),
    "TaxCodeRef": ref("TaxCode"),
    "MarkupInfo": ANY,
    "BillableStatus": choice("Billable", "NotBillable", "HasBeenBilled"),
    "TaxInclusiveAmt": NUMBER,
}
BILL_LINE = LINE_COMMON | {
    "ItemBasedExpenseLineDetail": record(
        ItemRef=ref("Item"), Qty=NUMBER, UnitPrice=NUMBER, PriceLevelRef=ANY, **EXPENSE
    ),
    "AccountBasedExpenseLineDetail": record(AccountRef=ref("Account"), TaxAmount=NUMBER, **EXPENSE),
}
BILL = TRANSACTION | {
    "VendorRef": ref("Vendor"),
    "APAccountRef": ref("Account"),
    "SalesTermRef": ref("Term"),
    "DueDate": DAY,
    "VendorAddr": ADDRESS,
    "IncludeInAnnualTPAR": FLAG,
}
BILL_PAYMENT = COMMON | {
    "VendorRef": ref("Vendor"),
    "TotalAmt": NUMBER,
    "TxnDate": DAY,
    "PayType": choice("Check", "CreditCard"),
    "CheckPayment": ANY,
    "CreditCardPayment": ANY,
    "Line": ANY,
    "DocNumber": text(21),
    "APAccountRef": ref("Account"),
    "PrivateNote": text(4000),
    "CurrencyRef": ref("Currency"),
    "ExchangeRate": NUMBER,
    "DepartmentRef": ref("Department"),
}
PURCHASE_ORDER = BILL | {
    "ClassRef": ref("Class"),
    "POStatus": choice("Open", "Closed"),
    "POEmail": EMAIL,
    "EmailStatus": choice("NotSet", "NeedToSend", "EmailSent"),
    "DeliveryInfo": READ_ONLY,
    "Memo": text(4000),
    "ShipAddr": ADDRESS,
    "ShipTo": ref("Customer"),
    "ShipMethodRef": ANY,
    "CustomField": CUSTOM_FIELD,
}
ATTACHABLE = COMMON | {
    "AttachableRef": ANY,
    "FileName": text(1000),
    "Note": text(2000),
    "ContentType": text(100),
    "Category": text(100),
    "Lat": text(100),
    "Long": text(100),
    "PlaceName": text(2000),
    "Tag": text(2000),
    "FileAccessUri": READ_ONLY,
    "TempDownloadUri": READ_ONLY,
    "Size": READ_ONLY,
    "ThumbnailFileAccessUri": READ_ONLY,
    "ThumbnailTempDownloadUri": READ_ONLY,
}
COMPANY_CURRENCY = COMMON | {"Code": text(3), "Name": text(100), "Active": FLAG, "CustomField": ANY}
CREDIT_MEMO = SALES | {"RemainingCredit": READ_ONLY, "InvoiceRef": ANY, "PaymentRefNum": text(21)}


def _shown(*names: str) -> dict[str, Field]:
    """Properties a query may select and nobody may write."""
    return COMMON | dict.fromkeys(names, READ_ONLY)


TAX_CODE = _shown(
    "Name", "Description", "Active", "Taxable", "TaxGroup", "Hidden", "SalesTaxRateList", "PurchaseTaxRateList"
)
TAX_RATE = _shown(
    "Name", "Description", "Active", "RateValue", "AgencyRef", "SpecialTaxType", "DisplayType", "EffectiveTaxRate"
)
COMPANY_INFO = _shown(
    "CompanyName",
    "LegalName",
    "Country",
    "CompanyAddr",
    "LegalAddr",
    "CustomerCommunicationAddr",
    "Email",
    "FiscalYearStartMonth",
    "SupportedLanguages",
    "CompanyStartDate",
    "NameValue",
)
EXCHANGE_RATE = _shown("SourceCurrencyCode", "TargetCurrencyCode", "Rate", "AsOfDate")
PREFERENCES = _shown(
    "AccountingInfoPrefs",
    "ProductAndServicesPrefs",
    "SalesFormsPrefs",
    "EmailMessagesPrefs",
    "VendorAndPurchasesPrefs",
    "TimeTrackingPrefs",
    "TaxPrefs",
    "CurrencyPrefs",
    "ReportPrefs",
    "OtherPrefs",
)
TAX_AGENCY = COMMON | {
    "DisplayName": text(100),
    "TaxRegistrationNumber": text(30),
    "TaxTrackedOnPurchases": FLAG,
    "TaxTrackedOnSales": FLAG,
    "LastFileDate": DAY,
    "TaxAgencyConfig": text(30),
    "Active": FLAG,
}
