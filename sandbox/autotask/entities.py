"""The entities of the simulated Autotask as tables: fields, types, flags, routes. Adding one means adding rows.

Source: vendor developer help, the Swagger document of the service and its live field metadata, as gathered in
the project's fact sheet. Not here yet: purchase orders, products, contracts, tickets (rows to be added when wanted).

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


def _entity(
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


INVOICES = _entity(
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

BILLING_ITEMS = _entity(
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

BILLING_CODES = _entity(
    "BillingCodes",
    "BillingCode",
    """
    name s200 RO | description s500 RO | externalNumber s100 RO | useType i RO P:useType |
    billingCodeType i RO P:billingCodeType | generalLedgerAccount i RO P:generalLedgerAccount | department i RO |
    taxCategoryID i RO ->TaxCategories | unitCost d RO | unitPrice d RO | markupRate d RO | isActive b RO |
    isExcludedFromNewContracts b RO | afterHoursWorkType i RO""",
)

COMPANIES = _entity(
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

CONTACTS = _entity(
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

COMPANY_TODOS = _entity(
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

COMPANY_LOCATIONS = _entity(
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

ACTION_TYPES = _entity(
    "ActionTypes",
    "ActionType",
    """
    name s32 R | view i R P:actionTypeView | isActive b R | isSystemActionType b RO""",
    "POST PATCH PUT DELETE",
)

RESOURCES = _entity(
    "Resources",
    "Resource",
    """
    firstName s50 | lastName s50 | email s254 | userName s32 | isActive b | resourceType s32 P:resourceType |
    licenseType i RO P:licenseType | userType i RO P:userType | locationID i | accountingReferenceID s100 |
    initials s32 | title s50 | officePhone s25 | password s64 NQ | defaultServiceDeskRoleID i NQ""",
    "PATCH PUT",
)

PAYMENT_TERMS = _entity(
    "PaymentTerms",
    "PaymentTerm",
    """
    name s100 R | description s2000 | paymentDueInDays i | isActive b""",
    "POST PATCH PUT",
)
TAX_REGIONS = _entity("TaxRegions", "TaxRegion", "name s200 R | isActive b", "POST PATCH PUT")
TAX_CATEGORIES = _entity(
    "TaxCategories",
    "TaxCategory",
    """
    name s200 R | description s200 | isActive b""",
    "POST PATCH PUT",
)
TAXES = _entity(
    "Taxes",
    "Tax",
    """
    taxRegionID i R NC ->TaxRegions | taxCategoryID i R NC ->TaxCategories | taxName s100 R | taxRate d R |
    isCompounded b""",
    "POST PATCH PUT",
)

CURRENCIES = _entity(
    "Currencies",
    "Currency",
    """
    name s3 RO | description s100 RO | exchangeRate d | isInternalCurrency b RO | isActive b RO |
    displaySymbol i P:displaySymbol | currencyPositiveFormat s10 | currencyNegativeFormat s10 |
    lastModifiedDateTime dt RO | updateResourceId i RO""",
    "PATCH PUT",
)
COUNTRIES = _entity(
    "Countries",
    "Country",
    """
    name s50 RO | displayName s100 | countryCode s2 RO | isActive b | isDefaultCountry b | invoiceTemplateID i |
    quoteTemplateID i""",
    "PATCH PUT",
)

INTERNAL_LOCATIONS = _entity(
    "InternalLocations",
    "InternalLocation",
    """
    name s100 RO | address1 s100 RO | address2 s100 RO | additionalAddressInfo s100 RO | city s50 RO | state s25 RO |
    postalCode s20 RO | country s100 RO | timeZone s100 RO | isDefault b RO""",
)
INTERNAL_LOCATION_HOURS = _entity(
    "InternalLocationWithBusinessHours",
    "InternalLocationWithBusinessHours",
    """
    name s100 R | address1 s100 | address2 s100 | city s50 | state s25 | postalCode s20 | countryID i ->Countries |
    timeZoneID i P:timeZoneID | dateFormat s20 | timeFormat s20 | numberFormat s20 | isDefault b |
    weekdayBusinessHoursStartTime s10 | weekdayBusinessHoursEndTime s10""",
    "POST PATCH PUT",
)
DEPARTMENTS = _entity(
    "Departments",
    "Department",
    """
    name s100 R | description s1000 | number s50 | primaryLocationID i R ->InternalLocations""",
    "POST PATCH PUT",
)
ORGANIZATIONAL_LEVEL1 = _entity("OrganizationalLevel1s", "OrganizationalLevel1", "name s100 R | description s1000")
ORGANIZATIONAL_LEVEL2 = _entity("OrganizationalLevel2s", "OrganizationalLevel2", "name s100 R | description s1000")
ORGANIZATIONAL_LEVEL_ASSOCIATIONS = _entity(
    "OrganizationalLevelAssociations",
    "OrganizationalLevelAssociation",
    "organizationalLevel1ID i R | organizationalLevel2ID i",
)

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
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
        CURRENCIES,
        COUNTRIES,
        INTERNAL_LOCATIONS,
        INTERNAL_LOCATION_HOURS,
        DEPARTMENTS,
        ORGANIZATIONAL_LEVEL1,
        ORGANIZATIONAL_LEVEL2,
        ORGANIZATIONAL_LEVEL_ASSOCIATIONS,
    )
}
BY_LOWER: dict[str, Entity] = {name.lower(): entity for name, entity in ENTITIES.items()}
CHILDREN: dict[tuple[str, str], Entity] = {
    (entity.parent.lower(), entity.child.lower()): entity
    for entity in ENTITIES.values()
    if entity.parent and entity.child
}

# Entities of a module the tenant does not own: they exist, and nobody may read them.
INVENTORY_MODULE = {
    name.lower(): name
    for name in (
        "PurchaseOrders",
        "PurchaseOrderItems",
        "PurchaseOrderItemReceiving",
        "InventoryLocations",
        "InventoryItems",
    )
}
