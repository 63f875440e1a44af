"""More settings: what of the invoice goes into the memo that the customer reads."""

from __future__ import annotations

from wtforms import BooleanField

from blueprints.settings.section import Section


class Memo(Section):
    key = "memo"
    title = "Customer memo"
    why = "What of the Autotask invoice the customer reads in the memo of the {ledger} document, one line each."

    class Fields:
        memo_order_number = BooleanField("Order number")
        memo_tax_group = BooleanField("Tax group")
        memo_invoice_date = BooleanField("Invoice date")
        memo_comments = BooleanField("Comments")
