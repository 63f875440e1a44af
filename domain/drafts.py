"""Lines of a draft: amounts rounded once, quantity × price only where it gives exactly that amount. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from domain.documents import DraftLine, Party, Reference, SourceDocument, SourceLine
from domain.matching import fit_repertoire
from domain.money import round_money
from domain.placing import Place
from domain.reasons import Reason, reason
from domain.settings import BlankText


def source_difference(document: SourceDocument) -> Decimal:
    """Lines as received plus tax, minus the invoice's total (positive: the lines are too much)."""
    lines = sum((line.extended_price for line in document.lines), Decimal(0))
    return lines + document.header.tax_total - document.header.total


def build_lines(
    document: SourceDocument, sign: Decimal, currency: str, places: Sequence[Place | None],
    tax_codes: Sequence[Reference | None], blank_text: BlankText, *,
    decimals: int, text_limit: int, latin1_only: bool, parties: Mapping[str, Party],
    negative_quantities: bool = True,
    classes: Sequence[Reference | None] = (),
    longest_months: int = 1,
) -> tuple[list[DraftLine], list[str], list[Reason]]:
    """Draft lines, notes on what was adjusted, and reasons against it. Lines whose item is unknown are left out
    (the caller has that reason already)."""
    lines: list[DraftLine] = []
    notes: list[str] = []
    problems: list[Reason] = []
    for number, line in enumerate(document.lines, 1):
        place = places[number - 1]
        if place is None:
            continue
        item = place.item
        if not line.text.strip() and blank_text is BlankText.HOLD:
            problems.append(reason("blank_text", line=number))
            continue
        amount = round_money(line.extended_price * sign, currency)
        quantity, price, shown = quantity_and_price(line, sign, amount, currency, decimals)
        if quantity < 0 and not negative_quantities:
            quantity, price = -quantity, -price
        if shown:
            notes.append(f"Line {number} goes as 1 × {amount:,}:{shown.strip()} does not give that amount exactly.")
        if line.months is not None and line.months > longest_months:
            shown += f" (billed for {line.months} months)"
            notes.append(f"Line {number} is billed for {line.months} months at once: revenue is not spread.")
        text = _text(line, item, document, parties) + shown
        text = fit_repertoire(text, latin1_only=latin1_only)
        if len(text) > text_limit:
            kept = text_limit - len(shown) - 4
            text = text[:kept].rstrip() + " ..." + shown
            notes.append(f"The text of line {number} was cut to {text_limit:,} characters.")
        code = tax_codes[number - 1] if tax_codes else None
        lines.append(DraftLine(
            item, text, quantity, price, amount, line.tax != 0, code, line.service_date, place.account,
            classes[number - 1] if classes else None,
        ))
    return lines, notes, problems


def quantity_and_price(
    line: SourceLine, sign: Decimal, amount: Decimal, currency: str, decimals: int
) -> tuple[Decimal, Decimal, str]:
    """As they are when they give exactly `amount`, else 1 × amount and the original for the text (R02)."""
    quantity, price = line.quantity * sign, line.rate
    if quantity != 0 and _fits(quantity, decimals) and _fits(price, decimals):
        if round_money(quantity * price, currency) == amount:
            return quantity, price, ""
        if round_money(quantity * -price, currency) == amount:
            return quantity, -price, ""
    if amount == 0 and (line.quantity == 0 or line.rate == 0):
        return Decimal(1), Decimal(0), ""
    return Decimal(1), amount, f" ({_plain(line.quantity)} × {_plain(line.rate)})"


def _fits(value: Decimal, decimals: int) -> bool:
    return value == value.quantize(Decimal(1).scaleb(-decimals))


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(line: SourceLine, item: Reference, document: SourceDocument, parties: Mapping[str, Party]) -> str:
    """The printed text; a blank one takes the item's name. A line billed for another company names it (R36)."""
    text = line.text.strip() or line.name.strip() or item.name
    owner = parties.get(line.party_id or "")
    if owner is not None and line.party_id != document.header.party_id:
        text = f"{owner.name}: {text}"
    return text
