"""Products and the entities of the inventory module: purchase orders, their items, what was received.

Source: vendor developer help, Swagger document and field metadata; see the project's fact sheet, 5.7 to 5.10.
`vendorInvoiceNumber` of a receipt is a newer field: a switch takes it away.
"""

from sandbox.autotask.schema import entity

PURCHASE_ORDERS = entity(
    "PurchaseOrders",
    "PurchaseOrder",
    """
    status i R P:purchaseOrderStatus | vendorID i R NC ->Companies | purchaseForCompanyID i ->Companies |
    purchaseOrderNumber s50 RO | externalPONumber s50 | vendorInvoiceNumber s50 |
    additionalVendorInvoiceNumbers s8000 | createDateTime dt RO | submitDateTime dt RO | cancelDateTime dt RO |
    creatorResourceID i RO | impersonatorCreatorResourceID i RO | paymentTerm i P:paymentTerm | freight d |
    internalCurrencyFreight d RO | taxRegionID i P:taxGroup | showTaxCategory b | showEachTaxInGroup b |
    useItemDescriptionsFrom i P:useItemDescriptionsFrom | generalMemo s4000 | shippingType i | shippingDate dt |
    latestEstimatedArrivalDate dt RO | shipToName s100 R | shipToAddress1 s128 R | shipToAddress2 s128 |
    shipToCity s30 | shipToState s25 | shipToPostalCode s10 | phone s25 | fax s25 | purchaseOrderTemplateID i""",
    "POST PATCH PUT",
    indexed=("vendorID",),
)
PURCHASE_ORDER_ITEMS = entity(
    "PurchaseOrderItems",
    "PurchaseOrderItem",
    """
    orderID i R NC ->PurchaseOrders | productID i ->Products | chargeID i | quantity i R | unitCost d R |
    internalCurrencyUnitCost d RO | inventoryLocationID i R ->InventoryLocations | memo s4000 |
    estimatedArrivalDate dt | salesOrderID l RO | ticketID l RO | projectID l RO | contractID l RO""",
    parent="PurchaseOrders",
    parent_field="orderID",
    child="Items",
    child_verbs="POST PATCH PUT",
    indexed=("orderID",),
)
RECEIVING = entity(
    "PurchaseOrderItemReceiving",
    "PurchaseOrderItemReceiving",
    """
    purchaseOrderItemID i R NC ->PurchaseOrderItems | quantityNowReceiving i R | quantityPreviouslyReceived i RO |
    quantityBackOrdered i RO | receiveDate dt RO | receivedByResourceID i RO | serialNumber s50 |
    vendorInvoiceNumber s50""",
    parent="PurchaseOrderItems",
    parent_field="purchaseOrderItemID",
    child="Receiving",
    child_verbs="POST",
    indexed=("purchaseOrderItemID",),
)
PRODUCTS = entity(
    "Products",
    "Product",
    """
    name s100 R | description s2000 | sku s50 | internalProductID s50 | externalProductID s50 |
    vendorProductNumber s50 | manufacturerName s100 | manufacturerProductName s50 |
    productBillingCodeID i R ->BillingCodes | chargeBillingCodeID i ->BillingCodes |
    defaultVendorID i ->Companies | unitCost d | unitPrice d | msrp d | markupRate d RO | isActive b R |
    isSerialized b R | isEligibleForRma b | doesNotRequireProcurement b | link s500 | createdTime dt RO |
    createdByResourceID i RO""",
    "POST PATCH PUT",
    udfs=True,
)
PRODUCT_VENDORS = entity(
    "ProductVendors",
    "ProductVendor",
    """
    productID i R NC ->Products | vendorID i R NC ->Companies | vendorCost d | vendorPartNumber s50 | isDefault b R |
    isActive b R""",
    parent="Products",
    parent_field="productID",
    child="Vendors",
    child_verbs="POST PATCH PUT",
    indexed=("productID",),
)
INVENTORY_LOCATIONS = entity(
    "InventoryLocations",
    "InventoryLocation",
    "locationName s50 R | isActive b R | isDefault b | resourceID i RO",
    "POST PATCH PUT",
)

INVENTORY = (PURCHASE_ORDERS, PURCHASE_ORDER_ITEMS, RECEIVING, PRODUCTS, PRODUCT_VENDORS, INVENTORY_LOCATIONS)
