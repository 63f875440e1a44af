"""Documents as papers: a source snapshot and a draft in the shape the macros draw, side by side with the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from domain.documents import Draft, Party, SourceDocument
from domain.formats import format_rate
from domain.held import Held
from domain.journal import JournalRow
from domain.money import round_money
from domain.order_documents import ORDER
from domain.settings import TaxSource

KIND_WORDS = {
    "invoice": "Invoice", "credit_memo": "{Credit_memo}", "bill": "Bill", "purchase_order": "Purchase order",
}  # fmt: skip


def kind_word(ledger_kind: str | None, total: Decimal, source_kind: str = "") -> str:
    """What a document is or will be called in the ledger; an order that nothing was made of yet is an order."""
    if ledger_kind is None and source_kind == ORDER:
        return KIND_WORDS[ORDER]
    return KIND_WORDS.get(ledger_kind or "", "{Credit_memo}" if total < 0 else "Invoice")


def draft_paper(draft: Draft, system: str, accounts: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The draft as it is sent. `accounts`: item key → the account its lines book on."""
    net = sum((line.amount for line in draft.lines), Decimal(0))
    number = draft.number or "(numbered by the ledger)"
    return {
        "system": system,
        "title": f"{KIND_WORDS[draft.kind]} {number}",
        "number": number,
        "day": draft.date,
        "due": draft.due_date,
        "party": draft.party.name + ("" if draft.party.ledger_id else f" (new {draft.party.kind})"),
        "address": [f"{{Location_word}}: {draft.location.name}"] if draft.location else [],
        "message": draft.message.splitlines(),
        "lines": [_draft_line(line, accounts or {}, draft.currency) for line in draft.lines],
        "net": net,
        "tax_label": tax_words(draft),
        "tax": draft.tax_total,
        "total": draft.total,
        "currency": draft.currency,
    }


def tax_words(draft: Draft) -> str:
    """The choice of tax as the paper names it, with the estimate where only the ledger knows."""
    if draft.tax_choice == TaxSource.NONE:
        return "Tax (none from us)"
    group = f", {draft.tax_group.name}" if draft.tax_group else ""
    if draft.tax_choice == TaxSource.SOURCE:
        return f"Tax (Autotask's{', sent as an amount' if draft.send_tax else ', by tax code'}{group})"
    if draft.tax_estimate is not None:
        return f"Tax (the ledger computes, estimated {draft.tax_estimate:,}{group})"
    return f"Tax (the ledger computes{group})"


def _draft_line(line: Any, accounts: Mapping[str, str], currency: str) -> dict[str, Any]:
    quantity, price = _plain(line.quantity), format_rate(line.unit_price, currency)
    item = line.item.name + ("" if line.item.ledger_id else " (new item)")
    account = accounts.get(line.item.key, "")
    code = line.tax_code.name if line.tax_code else "taxed" if line.taxed else ""
    tracked = line.tracked.name if line.tracked else ""
    detail = " · ".join(filter(None, (item, account, f"{quantity} × {price}", code, tracked)))
    return {"text": line.text, "detail": detail, "amount": line.amount}


def held_paper(held: Held, system: str) -> dict[str, Any]:
    """The ledger's document as it stands there now."""
    return {
        "system": system,
        "title": f"{KIND_WORDS.get(held.kind, 'Document')} {held.number or held.ledger_id}",
        "number": held.number or held.ledger_id,
        "day": held.date,
        "due": held.due_date,
        "party": held.party or "(no customer)",
        "address": [],
        "lines": [
            {
                "text": line.text or "(no text)",
                "amount": line.amount,
                "detail": f"{line.item or line.item_id or 'no item'} · "
                f"{'–' if line.quantity is None else _plain(line.quantity)} × "
                f"{'–' if line.unit_price is None else format_rate(line.unit_price, held.currency or 'USD')}",
            }
            for line in held.lines
        ],
        "net": sum((line.amount for line in held.lines), Decimal(0)),
        "tax_label": "Tax",
        "tax": held.tax,
        "total": held.total,
        "currency": held.currency or "USD",
    }


def source_paper(document: SourceDocument, party: Party | None, currency: str, system: str) -> dict[str, Any]:
    header = document.header
    net = sum((line.extended_price for line in document.lines), Decimal(0))
    return {
        "system": system,
        "title": f"{'Purchase order' if header.order else 'Invoice'} {header.number or header.id}",
        "number": header.number or header.id,
        "day": header.document_date,
        "due": header.due_date,
        "party": party.name if party else "(no company)",
        "address": _address(party),
        "lines": [
            {
                "text": line.text or line.name or "(no text)",
                "amount": round_money(line.extended_price, currency),
                "detail": f"{line.name or line.line_type} · {_plain(line.quantity)} × "
                f"{format_rate(line.rate, currency)}",
            }
            for line in document.lines
        ],
        "net": round_money(net, currency),
        "message": [],
        "tax_label": f"Tax {header.tax_region or ''}".strip(),
        "tax": header.tax_total,
        "total": header.total,
        "currency": currency,
    }


def _address(party: Party | None) -> list[str]:
    if party is None:
        return []
    a = party.address
    town = " ".join(filter(None, (a.city, a.region, a.postal_code)))
    return [line for line in (a.line1, a.line2, town, a.country) if line]


def journal_table(rows: Sequence[JournalRow], currency: str) -> dict[str, Any]:
    return {
        "currency": currency,
        "debit": sum((row.debit for row in rows), Decimal(0)),
        "credit": sum((row.credit for row in rows), Decimal(0)),
        "rows": [
            {"account": row.account, "origin": row.source, "debit": row.debit or None, "credit": row.credit or None}
            for row in rows
        ],
    }


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
