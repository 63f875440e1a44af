"""The entities of the simulated Autotask as tables: fields, types, flags, routes. Adding one means adding rows.

Source: vendor developer help, the Swagger document of the service and its live field metadata, as gathered in
the project's fact sheet. The form of the rows is told in schema.py; what belongs to the inventory module is in
inventory_entities.py. Not here: contracts, tickets (rows to be added when wanted).
"""

from sandbox.autotask.inventory_entities import INVENTORY
from sandbox.autotask.schema import Entity, Field, entity

__all__ = ["BY_LOWER", "CHILDREN", "ENTITIES", "INVENTORY_MODULE", "Entity", "Field"]

INVOICES = entity(
    "Invoices",
    "Invoice",
    """
    batchID i RO | comments s2000 RO | companyID i RO ->Companies | createDateTime dt RO |
    creatorResourceID i RO ->Resources | dueDate dt RO NQ | fromDate dt RO | invoiceDateTime dt RO |
    invoiceEditorTemplateID i RO | invoiceNumber s100 | invoiceStatus i RO P:invoiceStatus | invoiceTotal d RO |
    isVoided b RO | orderNumber s20 RO | paidDate date | paymentTerm i RO P:paymentTerm | taxGroup i RO NQ P:taxGroup |
    taxRegionName s200 RO | toDate dt RO | totalTaxValue d RO | voidedByResourceID i RO | voidedDate dt RO |
    webServiceDate dt | invoiceTaxMethodExternalCode s100 RO""",
    "PATCH PUT",
    indexed=("companyID", "batchID"),
)

BILLING_ITEMS = entity(
    "BillingItems",
    "BillingItem",
    """
    invoiceID i RO ->Invoices | billingItemType i RO P:billingItemType | subType i RO P:subType | itemName s255 RO |
    description s2000 RO | lineItemFullDescription s8000 RO NQ | lineItemGroupDescription s8000 RO NQ |
    lineItemID l RO | sortOrderID i RO | itemDate dt RO | postedDate dt RO | postedOnTime dt RO | quantity d RO |
    rate d RO | extendedPrice d RO | taxDollars d RO | totalAmount d RO | internalCurrencyExtendedPrice d RO |
    internalCurrencyRate d RO | internalCurrencyTaxDollars d RO | internalCurrencyTotalAmount d RO | ourCost d RO |
    nonBillable i RO | companyID i RO ->Companies | billingCodeID i RO ->BillingCodes | serviceID l RO |
    serviceBundleID l RO | contractServiceID i RO | contractBlockID i RO | contractChargeID l RO |
    projectChargeID l RO | ticketChargeID l RO | contractID i RO | projectID i RO | ticketID i RO | taskID i RO |
    timeEntryID i RO | expenseItemID i RO | milestoneID i RO | configurationItemID i RO | roleID i RO |
    vendorID i RO | taxCategoryID i RO ->TaxCategories | accountManagerWhenApprovedID i RO | itemApproverID i RO |
    organizationalLevelAssociationID i RO | purchaseOrderNumber s50 RO | webServiceDate dt""",
    "PATCH PUT",
    indexed=("invoiceID", "companyID"),
)

BILLING_CODES = entity(
    "BillingCodes",
    "BillingCode",
    """
    name s200 RO | description s500 RO | externalNumber s100 RO | useType i RO P:useType |
    billingCodeType i RO P:billingCodeType | generalLedgerAccount i RO P:generalLedgerAccount | department i RO |
    taxCategoryID i RO ->TaxCategories | unitCost d RO | unitPrice d RO | markupRate d RO | isActive b RO |
    isExcludedFromNewContracts b RO | afterHoursWorkType i RO""",
)

COMPANIES = entity(
    "Companies",
    "Company",
    """
    companyName s100 R | companyNumber s50 | companyType i R P:companyType | classification i P:classification |
    isActive b | phone s25 R | fax s25 | alternatePhone1 s25 | alternatePhone2 s25 | webAddress s255 |
    ownerResourceID i R ->Resources | parentCompanyID i ->Companies | address1 s128 | address2 s128 | city s30 |
    state s40 | postalCode s10 | countryID i ->Countries | additionalAddressInformation s100 |
    billToCompanyLocationID i | billToAddressToUse i RO P:billToAddressToUse | billToAttention s50 |
    billToAddress1 s150 RO | billToAddress2 s150 RO | billToCity s50 RO | billToState s128 RO | billToZipCode s50 RO |
    billToCountryID i RO | billToAdditionalAddressInformation s100 RO | currencyID i ->Currencies | isTaxExempt b |
    taxID s50 | taxRegionID i ->TaxRegions | invoiceMethod i P:invoiceMethod | invoiceTemplateID i |
    invoiceEmailMessageID i | invoiceNonContractItemsToParentCompany b | territoryID i | marketSegmentID i |
    createDate dt RO | createdByResourceID i RO | lastActivityDate dt RO | lastTrackedModifiedDateTime dt RO |
    apiVendorID i RO | assetValue d NQ | sicCode s32 NQ | stockMarket s10 NQ | stockSymbol s10 NQ""",
    "POST PATCH PUT",
    udfs=True,
)

CONTACTS = entity(
    "Contacts",
    "Contact",
    """
    companyID i R NC ->Companies | firstName s50 R | lastName s50 R | isActive i R | emailAddress s254 |
    emailAddress2 s254 | emailAddress3 s254 | phone s25 | extension s10 | mobilePhone s25 | title s50 |
    primaryContact b | addressLine s128 | addressLine1 s128 | city s32 | state s40 | zipCode s16 |
    countryID i ->Countries | companyLocationID i | externalID s50 | receivesEmailNotifications b |
    lastModifiedDate dt RO | lastActivityDate dt RO | isOptedOutFromBulkEmail b NQ | solicitationOptOut b NQ |
    surveyOptOut b NQ""",
    parent="Companies",
    parent_field="companyID",
    child="Contacts",
    child_verbs="POST PATCH PUT DELETE",
    udfs=True,
    indexed=("companyID",),
)

COMPANY_TODOS = entity(
    "CompanyToDos",
    "CompanyToDo",
    """
    companyID l R NC ->Companies | actionType i R P:actionType | assignedToResourceID l R ->Resources |
    startDateTime dt R | endDateTime dt R | activityDescription s32000 | completedDate dt | contactID l ->Contacts |
    contractID l | opportunityID l | ticketID l | createDateTime dt RO | creatorResourceID l RO |
    lastModifiedDate dt RO | impersonatorCreatorResourceID l RO""",
    parent="Companies",
    parent_field="companyID",
    child="ToDos",
    child_verbs="POST PATCH PUT DELETE",
    indexed=("companyID",),
)

COMPANY_LOCATIONS = entity(
    "CompanyLocations",
    "CompanyLocation",
    """
    companyID i R NC ->Companies | name s100 R | address1 s128 | address2 s128 | city s50 | state s25 |
    postalCode s20 | countryID i ->Countries | isPrimary b | isActive b | isTaxExempt b |
    overrideCompanyTaxSettings b | taxRegionID i ->TaxRegions""",
    parent="Companies",
    parent_field="companyID",
    child="Locations",
    child_verbs="POST PATCH PUT DELETE",
    indexed=("companyID",),
)

ACTION_TYPES = entity(
    "ActionTypes",
    "ActionType",
    """
    name s32 R | view i R P:actionTypeView | isActive b R | isSystemActionType b RO""",
    "POST PATCH PUT DELETE",
)

RESOURCES = entity(
    "Resources",
    "Resource",
    """
    firstName s50 | lastName s50 | email s254 | userName s32 | isActive b | resourceType s32 P:resourceType |
    licenseType i RO P:licenseType | userType i RO P:userType | locationID i | accountingReferenceID s100 |
    initials s32 | title s50 | officePhone s25 | password s64 NQ | defaultServiceDeskRoleID i NQ""",
    "PATCH PUT",
)

PAYMENT_TERMS = entity(
    "PaymentTerms",
    "PaymentTerm",
    """
    name s100 R | description s2000 | paymentDueInDays i | isActive b""",
    "POST PATCH PUT",
)
TAX_REGIONS = entity("TaxRegions", "TaxRegion", "name s200 R | isActive b", "POST PATCH PUT")
TAX_CATEGORIES = entity(
    "TaxCategories",
    "TaxCategory",
    """
    name s200 R | description s200 | isActive b""",
    "POST PATCH PUT",
)
TAXES = entity(
    "Taxes",
    "Tax",
    """
    taxRegionID i R NC ->TaxRegions | taxCategoryID i R NC ->TaxCategories | taxName s100 R | taxRate d R |
    isCompounded b""",
    "POST PATCH PUT",
)

_SERVICE = """
    name s150 R | description s400 | invoiceDescription s1000 | billingCodeID i R ->BillingCodes |
    unitPrice d R | unitCost d | periodType i R P:periodType | isActive b | createDate dt RO | lastModifiedDate dt RO"""
SERVICES = entity("Services", "Service", _SERVICE, "POST PATCH PUT", udfs=True)
SERVICE_BUNDLES = entity("ServiceBundles", "ServiceBundle", _SERVICE, "POST PATCH PUT", udfs=True)

CURRENCIES = entity(
    "Currencies",
    "Currency",
    """
    name s3 RO | description s100 RO | exchangeRate d | isInternalCurrency b RO | isActive b RO |
    displaySymbol i P:displaySymbol | currencyPositiveFormat s10 | currencyNegativeFormat s10 |
    lastModifiedDateTime dt RO | updateResourceId i RO""",
    "PATCH PUT",
)
COUNTRIES = entity(
    "Countries",
    "Country",
    """
    name s50 RO | displayName s100 | countryCode s2 RO | isActive b | isDefaultCountry b | invoiceTemplateID i |
    quoteTemplateID i""",
    "PATCH PUT",
)

INTERNAL_LOCATIONS = entity(
    "InternalLocations",
    "InternalLocation",
    """
    name s100 RO | address1 s100 RO | address2 s100 RO | additionalAddressInfo s100 RO | city s50 RO | state s25 RO |
    postalCode s20 RO | country s100 RO | timeZone s100 RO | isDefault b RO""",
)
INTERNAL_LOCATION_HOURS = entity(
    "InternalLocationWithBusinessHours",
    "InternalLocationWithBusinessHours",
    """
    name s100 R | address1 s100 | address2 s100 | city s50 | state s25 | postalCode s20 | countryID i ->Countries |
    timeZoneID i P:timeZoneID | dateFormat s20 | timeFormat s20 | numberFormat s20 | isDefault b |
    weekdayBusinessHoursStartTime s10 | weekdayBusinessHoursEndTime s10""",
    "POST PATCH PUT",
)
DEPARTMENTS = entity(
    "Departments",
    "Department",
    """
    name s100 R | description s1000 | number s50 | primaryLocationID i R ->InternalLocations""",
    "POST PATCH PUT",
)
INVOICE_TEMPLATES = entity("InvoiceTemplates", "InvoiceTemplate", "name s50 RO")
ORGANIZATIONAL_LEVEL1 = entity("OrganizationalLevel1s", "OrganizationalLevel1", "name s100 R | description s1000")
ORGANIZATIONAL_LEVEL2 = entity("OrganizationalLevel2s", "OrganizationalLevel2", "name s100 R | description s1000")
ORGANIZATIONAL_LEVEL_ASSOCIATIONS = entity(
    "OrganizationalLevelAssociations",
    "OrganizationalLevelAssociation",
    "organizationalLevel1ID i R | organizationalLevel2ID i",
)

ENTITIES: dict[str, Entity] = {
    one.name: one
    for one in (
        INVOICES,
        BILLING_ITEMS,
        BILLING_CODES,
        COMPANIES,
        CONTACTS,
        COMPANY_TODOS,
        COMPANY_LOCATIONS,
        ACTION_TYPES,
        RESOURCES,
        PAYMENT_TERMS,
        TAX_REGIONS,
        TAX_CATEGORIES,
        TAXES,
        SERVICES,
        SERVICE_BUNDLES,
        CURRENCIES,
        COUNTRIES,
        INTERNAL_LOCATIONS,
        INTERNAL_LOCATION_HOURS,
        DEPARTMENTS,
        INVOICE_TEMPLATES,
        ORGANIZATIONAL_LEVEL1,
        ORGANIZATIONAL_LEVEL2,
        ORGANIZATIONAL_LEVEL_ASSOCIATIONS,
        *INVENTORY,
    )
}
BY_LOWER: dict[str, Entity] = {name.lower(): one for name, one in ENTITIES.items()}
CHILDREN: dict[tuple[str, str], Entity] = {
    (one.parent.lower(), one.child.lower()): one for one in ENTITIES.values() if one.parent and one.child
}

# Entities of a module that a tenant may not own: they exist there too, and nobody may read them.
INVENTORY_MODULE = frozenset(
    {"PurchaseOrders", "PurchaseOrderItems", "PurchaseOrderItemReceiving", "InventoryLocations"}
)
