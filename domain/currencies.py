"""What both sides' currencies allow (R39), and the rate a foreign document may carry (R40). Pure.

Two sides with or without multicurrency make four cases. The case is remembered when it was harmless, or when a person
confirmed it; another one than the remembered stops documents, because a currency switched on changes what every amount
means. Whose currency a customer has is decided in `customers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from domain.documents import Catalog, SourceDocument
from domain.known import Facts, Lists
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings, RateSource

_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Pairing:
    """Home currencies (ISO codes) and whether each side keeps others as well."""

    source: str
    source_multi: bool
    ledger: str
    ledger_multi: bool

    @property
    def text(self) -> str:
        """What is remembered: `USD+/USD`; a plus says that there are other currencies."""
        return f"{self.source}{'+' * self.source_multi}/{self.ledger}{'+' * self.ledger_multi}"

    @property
    def assumed(self) -> bool:
        """The source's amounts bear no currency of their own, where the ledger keeps several."""
        return self.ledger_multi and not self.source_multi

    @property
    def apart(self) -> bool:
        """The source has one currency, and it is not the ledger's own."""
        return not self.source_multi and self.source != self.ledger


def pairing(catalog: Catalog, facts: Facts) -> Pairing | None:
    """None while the source did not tell its currencies."""
    if catalog.home_currency is None:
        return None
    return Pairing(catalog.home_currency, catalog.multi_currency, facts.currency, facts.multi_currency)


def currency_reason(lists: Lists, facts: Facts) -> Reason | None:
    """Why no document goes while the two sides' currencies stand as they do."""
    pair = pairing(lists.catalog, facts)
    if pair is None:
        return None
    if pair.apart:
        return reason("home_currencies_differ", source=pair.source, ledger=pair.ledger)
    if lists.currencies and lists.currencies != pair.text:
        return reason("currencies_switched", before=in_words(lists.currencies), now=in_words(pair.text))
    if not lists.currencies and pair.assumed:
        return reason("currency_assumed", ledger=pair.ledger)
    return None


def in_words(text: str) -> str:
    """`USD+/GBP` as "Autotask: USD and others, ledger: GBP only"."""
    source, _, ledger = text.partition("/")
    return f"Autotask: {_side(source)}, ledger: {_side(ledger)}"


def _side(text: str) -> str:
    return f"{text[:-1]} and others" if text.endswith("+") else f"{text} only"


def rate_to_send(
    document: SourceDocument, currency: str, settings: InvoiceSettings, lists: Lists, facts: Facts
) -> tuple[Decimal | None, str]:
    """Home units for one unit of the document's currency, and a note where the source's rate cannot be used.

    The rate is that of the document's own lines: their amounts in the source's home currency over those in theirs.
    0 and 1 are never sent for a foreign currency: the ledger would book them.
    """
    if settings.rate_source is RateSource.LEDGER or not facts.multi_currency or currency == facts.currency:
        return None, ""
    theirs = "The ledger's own rate is used: "
    if lists.catalog.home_currency != facts.currency:
        return None, theirs + f"Autotask's rates are not to {facts.currency}."
    priced = [line for line in document.lines if line.home_price is not None]
    foreign = sum((line.extended_price for line in priced), Decimal(0))
    home = sum((line.home_price or Decimal(0) for line in priced), Decimal(0))
    rate = (home / foreign).quantize(_STEP, ROUND_HALF_UP).normalize() if foreign else Decimal(0)
    if rate <= 0 or rate == 1:
        return None, theirs + f"Autotask's would be {rate:f}."
    return rate, f"Autotask's rate goes along: 1 {currency} = {rate:f} {facts.currency}."
