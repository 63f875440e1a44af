"""Purchase orders and bills: what stands against one, and what is asked about it."""

from __future__ import annotations

from domain.catalogue.entry import CURRENCIES, RETRY, Entry, Stage, fault, skip, wait

ORDERS = ("Open Settings, Purchase Orders", "orders")
VENDOR = ("Link or create", "link_vendor")
DECIDE = ("Decide", "order_decision")

_SCOPE: dict[str, Entry] = {
    "order_cancelled": skip(
        Stage.SCOPE, "The order was cancelled", "The order was cancelled in Autotask before it was posted",
        "A cancelled order buys nothing. Nothing was posted.", "Nothing needs doing.",
    ),
    "order_not_submitted": skip(
        Stage.SCOPE, "The order is not submitted", "The order's status in Autotask is {status}, not Submitted",
        "Only submitted orders are transferred.", "Submit it in Autotask, then press Sync one PO.",
    ),
    "order_marked_elsewhere": skip(
        Stage.SCOPE, "The order has an External P.O. Number",
        "External P.O. Number reads {number}, and Bookbridge did not write it",
        "A person or another program filled the field, which says that the order was transferred.",
        "Check that it is in {the_ledger}. To let Bookbridge post it, clear the field in Autotask, then Sync one PO.",
    ),
    "order_empty": skip(
        Stage.SCOPE, "The order has no lines", "The order has no lines",
        "Autotask itself sets orders without lines aside.", "Add its lines in Autotask, then press Sync one PO.",
    ),
    "order_of_nothing": fault(
        Stage.SCOPE, "Every quantity is 0", "Every line of the order has the quantity 0",
        "An order of nothing has nothing to post, and a cost without a quantity is probably a mistake.",
        "Correct the quantities in Autotask, or cancel the order there; then Retry.",
    ),
    "order_zero": skip(
        Stage.SCOPE, "The order costs nothing", "All lines of the order cost 0.00, so there is nothing to book",
        "A bill of 0.00 has no journal.", "Nothing needs doing. If the costs are missing, enter them in Autotask, "
        "then press Sync one PO.",
    ),
    "waits_for_receipt": wait(
        Stage.SCOPE, "Nothing of it is received yet", "Waits for goods: nothing of it is received in Autotask yet",
        "Orders of this vendor are billed when goods are received, one bill per vendor invoice number.",
        "Nothing needs doing: the bill follows the receiving in Autotask.",
    ),
    "billed_in_parts": skip(
        Stage.SCOPE, "All of it is billed on receipt", "Everything is received: its bills are {bills}",
        "Orders of this vendor are billed when goods are received; the bills are documents of their own.",
        "Nothing needs doing.",
    ),
    "created_before_window": wait(
        Stage.SCOPE, "Created before the window", "Created on {date}, before the days that are looked back",
        "It was submitted within the window, but created before it. Such orders are listed and never posted by "
        "themselves.",
        "Include it if it is to be posted, or set more days in Settings, Purchase Orders.", ORDERS,
    ),
    "part_taken_back": skip(
        Stage.SCOPE, "What was received was taken back", "Nothing is received under {part} any more",
        "The receiving was taken back in Autotask before its bill was posted.", "Nothing needs doing.",
    ),
    "becomes_missing": fault(
        Stage.SCOPE, "It is not chosen what an order becomes", "It is not chosen what orders of {name} become",
        "A bill at once books a debt, a purchase order books nothing, a bill on receipt books what arrived: "
        "nobody but you can say which is right.",
        "Choose it in Settings, Purchase Orders, for the company or for this vendor; then Retry.", ORDERS,
    ),
}

_VENDORS: dict[str, Entry] = {
    "no_vendor": fault(
        Stage.CUSTOMER, "The order names no vendor", "The order names no vendor",
        "A bill needs somebody to pay.", "Cancel the order in Autotask and make it again with a vendor.",
    ),
    "vendor_unreadable": fault(
        Stage.CUSTOMER, "Autotask did not show the vendor", "Autotask did not show the vendor with id {party}",
        "The API user cannot see this company, or it was deleted.",
        "Give the API user access to it in Autotask, then Retry.",
    ),
    "vendor_inactive": fault(
        Stage.CUSTOMER, "The vendor is inactive", "Vendor “{name}” is inactive in {the_ledger}",
        "An inactive vendor accepts no new documents.", "Make it active in {the_ledger}, then Retry.",
    ),
    "vendor_similar": fault(
        Stage.CUSTOMER, "A vendor with a similar name exists",
        "“{name}” looks like vendor “{candidates}” in {the_ledger}",
        "The names differ only in case, punctuation, spacing or legal form, and a wrong merge cannot be undone.",
        "Say whether they are the same vendor: Link This, or Create New.", VENDOR,
    ),
    "vendor_twice_in_source": fault(
        Stage.CUSTOMER, "Two Autotask companies share a vendor's name", "Two companies in Autotask are called “{name}”",
        "Bookbridge never merges two companies by itself.",
        "Link each of them to its own vendor, or rename one of them in Autotask, then Retry.", VENDOR,
    ),
    "vendor_twice_in_ledger": fault(
        Stage.CUSTOMER, "The ledger has the vendor twice", "{the_ledger} has more than one vendor called “{name}”",
        "Both names are the same once case and spacing are set aside.", "Choose the right one with Link This.", VENDOR,
    ),
    "vendor_link_gone": fault(
        Stage.CUSTOMER, "The linked vendor is gone", "“{name}” is linked to vendor {ledger_id}, which is gone",
        "It was merged or deleted in {the_ledger}.", "Choose the vendor that stands for it now.", VENDOR,
    ),
    "vendor_refused": fault(
        Stage.CUSTOMER, "The vendor could not be created",
        "{the_ledger} did not accept vendor “{name}”: {message} {code}",
        "A value of the company in Autotask breaks a rule of {the_ledger}.",
        "Correct the company in Autotask, or create the vendor in {the_ledger}, then Retry.",
    ),
    "vendor_is_customer": fault(
        Stage.CUSTOMER, "The name belongs to a customer",
        "“{name}” is a customer in {the_ledger}, and a vendor cannot have the same name",
        "{the_ledger} keeps one list of names, and the customer was made meanwhile.",
        "Press Retry: the vendor then gets the suffix of Settings, Purchase Orders.",
    ),
    "vendor_currency": fault(
        Stage.CUSTOMER, "The vendor is kept in another currency",
        "The order is in {document}, but vendor “{name}” is kept in {ledger}",
        "A vendor must have the same currency on both sides, and in {the_ledger} it never changes.",
        "Correct the vendor's currency in Autotask, or link it to the ledger's vendor in {document}; then Retry.",
        VENDOR,
    ),
    "vendor_rate_one": fault(
        Stage.CUSTOMER, "The vendor would be booked at a rate of 1.00",
        "Vendor “{name}” is kept in {ledger}, and Autotask's amounts name no currency: they would be booked as "
        "{ledger} at a rate of 1.00",
        "Autotask keeps one currency only, so its amounts are taken as {home}. If they are really {ledger}, the books "
        "would be wrong by the whole exchange rate.",
        "Confirm it for this vendor in Settings, Purchase Orders, or correct the vendor in {the_ledger}; then Retry.",
        ORDERS,
    ),
    "orders_need_currencies": fault(
        Stage.CUSTOMER, "Orders need multicurrency on both sides",
        "Autotask keeps several currencies and {the_ledger} keeps {ledger} only, so no order is transferred",
        "An order names no currency of its own: with one currency in {the_ledger} its amount could be booked wrongly.",
        "Switch multicurrency on in {the_ledger} (it cannot be switched off again), or enter such bills by hand.",
        CURRENCIES,
    ),
    "bought_for_unknown": fault(
        Stage.CUSTOMER, "The customer of a billable line is not known",
        "The order was purchased for “{name}”, which is no customer in {the_ledger}",
        "Lines are billable by your setting, and a billable line needs a customer.",
        "Create or link the customer, or switch billable off in Settings, Purchase Orders; then Retry.", ORDERS,
    ),
}

_LINES: dict[str, Entry] = {
    "order_number_too_long": fault(
        Stage.NUMBER, "The order’s number is too long",
        "Number {number} has {length} characters; {the_ledger} takes {limit}",
        "A number is never cut, because it stands on the vendor's paper.",
        "Shorten the vendor invoice number in Autotask, then Retry.",
    ),
    "order_numbering_contradicted": fault(
        Stage.NUMBER, "Purchase order numbers contradict the ledger's setting",
        "Settings and {the_ledger} disagree about who numbers purchase orders",
        "With custom transaction numbers on, {the_ledger} leaves its own numbers blank; with them off it numbers by "
        "itself.",
        "Choose the other side in Settings, Purchase Orders, or change the preference in {the_ledger}; then Retry.",
        ORDERS,
    ),
    "order_negative": fault(
        Stage.TOTALS, "The order comes to less than nothing",
        "The order comes to {total} {currency}, and neither a bill nor a purchase order can be negative",
        "What is sent back outweighs what is bought. That is a vendor credit, which nobody but you can enter rightly.",
        "Correct quantities and costs in Autotask, then Retry; or enter a vendor credit in {the_ledger} and skip it.",
    ),
    "order_line_nameless": fault(
        Stage.ITEMS, "A line names no product", "Line {line} names no product and has no code",
        "Without a name no item can be chosen.", "Give the line a product in Autotask, then Retry.",
    ),
    "order_item_missing": fault(
        Stage.ITEMS, "An item of an order is missing", "Item “{item}” is not in {the_ledger}",
        "No item has exactly this name, and Settings say to stop.",
        "Create it in {the_ledger} with an expense account, or choose “create a new item” in Settings, Purchase "
        "Orders; then Retry.", ORDERS,
    ),
    "order_account_missing": fault(
        Stage.ITEMS, "No account for a line of an order", "No account is chosen for lines of “{item}”",
        "In {the_ledger} each line names its account. No item with an account for purchases has this name or number, "
        "and Settings name no account for such lines.",
        "Choose the account for lines without another choice in Settings, Purchase Orders, or create the item in "
        "{the_ledger} with an account for purchases; then Retry.", ORDERS,
    ),
    "item_not_purchasable": fault(
        Stage.ITEMS, "Not a purchasable item", "Item “{item}” in {the_ledger} is not set up to be purchased",
        "It has no expense account: “I purchase this product/service from a vendor” is not ticked.",
        "Tick it in {the_ledger} and choose an expense account, then Retry.",
    ),
    "no_expense_account": fault(
        Stage.ITEMS, "No expense account for created items",
        "Item “{item}” would be created, but no expense account is chosen for it",
        "A purchasable item needs an expense account.",
        "Choose “for created items, select the expense account to use” in Settings, Purchase Orders; then Retry.",
        ORDERS,
    ),
    "payable_missing": fault(
        Stage.LEDGER, "No AP account is chosen", "No AP account is chosen",
        "A bill is credited to a payable account.", "Choose it in Settings, Purchase Orders; then Retry.", ORDERS,
    ),
    "payable_currency": fault(
        Stage.LEDGER, "No AP account in the vendor's currency",
        "AP account “{account}” is not kept in {currency}, and no single other one is",
        "{the_ledger} keeps one payable account per currency.",
        "Make one account of type Accounts payable in {currency} the only active one, then Retry.", ORDERS,
    ),
    "freight_account_missing": fault(
        Stage.LEDGER, "No account for freight", "The order has freight, and no account is chosen for it",
        "Freight has an account of its own, so that it does not raise the cost of an item.",
        "Choose it in Settings, Purchase Orders; then Retry.", ORDERS,
    ),
    "purchase_code_missing": fault(
        Stage.TAX, "No tax code for purchases", "No tax code is chosen for purchases",
        "Outside the US every line goes with one. No tax is transferred: {the_ledger} computes its own.",
        "Choose one (“no VAT” among them) for the company or this vendor in Settings, Purchase Orders; then Retry.",
        ORDERS,
    ),
    "purchase_code_unfit": fault(
        Stage.TAX, "The tax code for purchases cannot be used", "Tax code “{code}” cannot stand on a purchase any more",
        "It was made inactive, deleted, or is for sales only.",
        "Choose another one in Settings, Purchase Orders; then Retry.", ORDERS,
    ),
    "no_bills": fault(
        Stage.LEDGER, "The plan has no bills", "This {the_ledger} plan has no bills",
        "Bills are part of larger plans.", "Change the plan in {the_ledger}, then Retry.",
    ),
    "no_purchase_orders": fault(
        Stage.LEDGER, "The plan has no purchase orders", "This {the_ledger} plan has no purchase orders (error 5020)",
        "Purchase orders are part of larger plans.",
        "Change the plan in {the_ledger}, or choose in Settings, Purchase Orders, that orders become bills; then "
        "Retry.", ORDERS,
    ),
}

_ASKED: dict[str, Entry] = {
    "bill_exists": fault(
        Stage.LEDGER, "The bill may be there already",
        "{the_ledger} has a bill of this vendor that may be the same: {what}",
        "Somebody typed it in, or another program brought it. A second one would be a debt that does not exist.",
        "Compare both: adopt it, post anyway, or skip this one.", DECIDE,
    ),
    "billed_above_received": fault(
        Stage.TOTALS, "More would be billed than was received",
        "“{item}”: {billed} would be billed, {received} are received",
        "Something was taken back in Autotask after it was billed.",
        "Correct the receiving in Autotask, or enter a vendor credit in {the_ledger}; then Retry.", RETRY,
    ),
    "unreceived_after_billing": fault(
        Stage.TOTALS, "Taken back after it was billed",
        "“{item}”: bill {number} bills {billed}, but only {received} are received any more",
        "The receiving was taken back in Autotask; the bill still stands in {the_ledger}.",
        "Enter a vendor credit of {credit} {currency} in {the_ledger}, then choose Settled.", DECIDE,
    ),
    "received_after_billing": fault(
        Stage.TOTALS, "More was received under a number that is billed",
        "“{item}”: bill {number} bills {billed}, and {received} are received under its number now",
        "One bill per vendor invoice number: the goods came after their bill was posted.",
        "Change the bill in {the_ledger}, or give the later receiving its own vendor invoice number in Autotask; then "
        "choose Settled.", DECIDE,
    ),
    "order_cancelled_after": fault(
        Stage.LEDGER, "Cancelled in Autotask after it was posted",
        "The order was cancelled in Autotask on {when}; {number} still stands in {the_ledger}",
        "Bookbridge never deletes a bill or an order by itself.",
        "If it is not owed, delete it from here or in {the_ledger}; else choose Settled, with a reason.",
        DECIDE,
    ),
}

ENTRIES: dict[str, Entry] = {**_SCOPE, **_VENDORS, **_LINES, **_ASKED}
