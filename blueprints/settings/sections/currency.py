"""More settings: whose exchange rate, and the page on both sides' currencies."""

from __future__ import annotations

from wtforms import RadioField

from blueprints.settings.section import Section, text_choices
from domain.settings import RateSource

RATES = ((RateSource.LEDGER, "{the_ledgers} own rate of the day"), (RateSource.SOURCE, "Autotask's rate"))


class Currency(Section):
    key = "currency"
    title = "Currency"
    why = "An invoice is booked in its customer's currency."

    class Fields:
        rate_source = RadioField("Exchange rate of invoices in a foreign currency", choices=text_choices(RATES))
