"""The order of the check stages, and the bill-to check that can be switched on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from domain.documents import Party, SourceDocument, SourceHeader, SourceLine
from domain.reasons import reason
from domain.stages import bill_to_reason, in_order


def document(*parties: str | None) -> SourceDocument:
    header = SourceHeader(
        kind="invoice", id="1", number="1", party_id="175", document_date=date(2026, 11, 20),
        created_at=datetime(2026, 11, 20, tzinfo=UTC), due_date=None, total=Decimal(1), tax_total=Decimal(0),
    )
    lines = tuple(
        SourceLine(str(n), "Labor", "", "", Decimal(1), Decimal(1), Decimal(1), Decimal(0), "1", party_id=party)
        for n, party in enumerate(parties)
    )
    return SourceDocument(header, lines)


def test_the_status_code_is_the_first_stage_that_stops() -> None:
    found = [reason("blank_text", line=1), reason("no_customer"), reason("no_lines"), reason("item_missing", item="a")]
    assert [each.code for each in in_order(found)] == ["no_lines", "no_customer", "item_missing", "blank_text"]


def test_a_line_for_a_company_that_is_not_known() -> None:
    known = {"175": Party("175", "Acme"), "176": Party("176", "Acme West")}
    assert bill_to_reason(document(None, "175", "176"), known) is None
    told = bill_to_reason(document("175", "999"), known)
    assert told is not None
    assert (told.code, dict(told.params)) == ("bill_to_unknown", {"line": "2", "party": "999"})
