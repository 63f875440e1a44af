"""Who is billed: found, linked, new, or to be decided by a person."""

from __future__ import annotations

from domain.catalogue.entry import CURRENCIES, SETTINGS, Entry, Stage, fault

ENTRIES: dict[str, Entry] = {
    "bill_to_unknown": fault(
        Stage.BILL_TO,
        "A line is billed for a company that cannot be read",
        "Line {line} is billed for Autotask company {party}, which cannot be read",
        "The invoice goes to another company than the one the line is for, and the line could not name it.",
        "Give the API user access to that company, or switch this check off in Settings, then Retry.",
    ),
    "no_customer": fault(
        Stage.CUSTOMER,
        "The invoice names no customer",
        "The invoice names no customer",
        "Autotask has no company on this invoice, and a ledger document needs one.",
        "Choose a customer in {the_ledger} for all such invoices or for this one, then Retry.",
        ("Choose a customer", "no_company"),
    ),
    "customer_unreadable": fault(
        Stage.CUSTOMER,
        "Autotask did not show the company",
        "Autotask did not show the company with id {party}",
        "The API user cannot see this company, or it was deleted.",
        "Give the API user access to it in Autotask, then Retry.",
    ),
    "customer_similar": fault(
        Stage.CUSTOMER,
        "A customer with a similar name exists",
        "“{name}” looks like “{candidates}” in {the_ledger}",
        "The names differ only in case, punctuation, spacing or legal form, and a wrong merge cannot be undone.",
        "Say whether they are the same customer: Link This, or Create New.",
        ("Link or create", "link_customer"),
    ),
    "customer_twice_in_source": fault(
        Stage.CUSTOMER,
        "Two Autotask companies share a name",
        "“{name}” and “{other}” are two companies in Autotask, and neither is linked",
        "Their names are the same or nearly so, and Bookbridge never merges two companies by itself.",
        "Link each of them to its own customer, or rename one of them in Autotask, then Retry.",
        ("Link or create", "link_customer"),
    ),
    "customer_twice_in_ledger": fault(
        Stage.CUSTOMER,
        "The ledger has the customer twice",
        "{the_ledger} has more than one customer called “{name}”",
        "Both names are the same once case and spacing are set aside.",
        "Choose the right one with Link This.",
        ("Link or create", "link_customer"),
    ),
    "customer_inactive": fault(
        Stage.CUSTOMER,
        "The customer is inactive",
        "Customer “{name}” is inactive in {the_ledger}",
        "An inactive customer accepts no new documents.",
        "Make it active in {the_ledger}, then Retry.",
    ),
    "customer_number_held": fault(
        Stage.CUSTOMER,
        "An archived customer has the number",
        "“{holder}”, which is archived in {the_ledger}, bears the number {number} of customer “{name}”",
        "It is how {the_ledger} knew “{name}” until it was archived, and a number is given once.",
        "Restore “{holder}” in {the_ledger}, then Retry; or link another customer, or choose Create New: the new one "
        "gets no number.",
        ("Link or create", "link_customer"),
    ),
    "customer_is_vendor": fault(
        Stage.CUSTOMER,
        "The name belongs to a vendor",
        "“{name}” is a vendor in {the_ledger}, and a customer cannot have the same name",
        "{the_ledger} keeps one list of names for customers, vendors and employees.",
        "Rename the vendor in {the_ledger} (for example “{name} (V)”), then Retry.",
    ),
    "customer_currency": fault(
        Stage.CUSTOMER,
        "The customer is kept in another currency",
        "The invoice is in {document}, but customer “{name}” is kept in {ledger}",
        "A customer's currency in {the_ledger} never changes.",
        "Link This to its customer in {document}, or Create New: it gets the same name with “({document})” behind it.",
        ("Link or create", "link_customer"),
    ),
    "foreign_currency": fault(
        Stage.CUSTOMER,
        "The ledger keeps one currency only",
        "The invoice is in {document}, and {the_ledger} keeps {ledger} only",
        "Multicurrency is switched off in {the_ledger}, so an amount in {document} would be booked as {ledger}.",
        "Switch on Multicurrency in {the_ledger} (it cannot be switched off again), Refresh Lists in Settings, then "
        "Retry; or bill this customer in {ledger} from Autotask.",
    ),
    "home_currencies_differ": fault(
        Stage.LEDGER,
        "The two sides' own currencies differ",
        "Autotask's only currency is {source}, {the_ledgers} own is {ledger}",
        "Autotask's amounts bear no currency of their own, and {source} is not {ledger}.",
        "Connect the {the_ledger} company that is kept in {source}, or change Autotask's own currency; then Refresh "
        "Lists in Settings, and Retry.",
        CURRENCIES,
    ),
    "currency_assumed": fault(
        Stage.LEDGER,
        "Autotask does not say in which currency amounts are",
        "Autotask has one currency, {the_ledger} has several: every invoice would be booked in {ledger}",
        "Without multicurrency in Autotask, amounts bear no currency of their own.",
        "Confirm once in Settings, Currencies that all amounts in Autotask are in {ledger}, then Retry.",
        CURRENCIES,
    ),
    "currencies_switched": fault(
        Stage.LEDGER,
        "The currencies were changed on one side",
        "The currencies are not what they were ({before}); now {now}",
        "Multicurrency or an own currency was changed on one side, and amounts may mean something else since.",
        "Look at a customer's currency on both sides, confirm the change in Settings, Currencies, then Retry.",
        CURRENCIES,
    ),
    "customer_exempt_here": fault(
        Stage.CUSTOMER,
        "Tax-exempt in Autotask only",
        "“{name}” is tax-exempt in Autotask but taxable in {the_ledger}",
        "Exempt on one side only: the next invoice typed by hand would be wrong as well.",
        "Untick “This customer is taxable” on the customer in {the_ledger}, or untick “Tax exempt” on the company's "
        "Site configuration in Autotask, then Retry.",
    ),
    "customer_exempt_there": fault(
        Stage.CUSTOMER,
        "Tax-exempt in the ledger only",
        "“{name}” is tax-exempt in {the_ledger}, but Autotask charges it tax",
        "Exempt on one side only: {the_ledger} would drop the tax from invoices like this one.",
        "Tick “This customer is taxable” on the customer in {the_ledger}, or tick “Tax exempt” on the company in "
        "Autotask, then Retry.",
    ),
    "sub_customer_unfit": fault(
        Stage.CUSTOMER,
        "A sub-customer is not under its parent",
        "“{name}” is to be a sub-customer of “{parent}” in {the_ledger}: {why}",
        "All lines are for “{name}”, which Autotask bills through “{parent}”, and Settings send such invoices to the "
        "sub-customer. On a customer of another place the debt would stand with somebody who does not pay it.",
        "Make “{name}” an active sub-customer of “{parent}” in {the_ledger} that is billed with it, or choose in "
        "Settings, Sub-companies, that such invoices go to the parent. Then Retry.",
        SETTINGS,
    ),
    "customer_merged": fault(
        Stage.CUSTOMER,
        "The linked customer was merged",
        "The linked customer of “{name}” (AccsID {ledger_id}) was merged; “{survivor}” (AccsID {survivor_id}) is there",
        "A merge in {the_ledger} keeps one of two customers and moves the other's documents to it.",
        "Look whether “{survivor}” is the one that was kept, then Link This.",
        ("Link or create", "link_customer"),
    ),
    "link_gone": fault(
        Stage.CUSTOMER,
        "The linked customer is gone",
        "The linked customer of “{name}” (AccsID {ledger_id}) is not in {the_ledger} any more",
        "The customer was merged or deleted in {the_ledger}.",
        "Link it to the right customer, then Retry.",
        ("Link or create", "link_customer"),
    ),
}
