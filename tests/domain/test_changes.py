"""What was looked at and what differs: new records that exist by now are no change, anything that is sent is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.batch import Batch
from domain.changes import differences, digest, face, sentence
from domain.documents import Draft, DraftLine, Reference
from domain.journal import journal


def draft(total: str = "20.00", **changes: object) -> Draft:
    line = DraftLine(Reference("item", "lab", "Labour"), "Support", Decimal(2), Decimal(10), Decimal(20), False)
    made = Draft(
        kind="invoice", party=Reference("customer", "175", "Acme"), number="1", date=date(2026, 11, 20), due_date=None,
        term=None, currency="USD", lines=(line,), tax_total=Decimal(0), send_tax=False, total=Decimal(total), memo="",
        marker="ref:1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_record_that_was_new_and_exists_by_now_is_no_change() -> None:
    made = draft(party=Reference("customer", "175", "Acme", "58"))
    assert digest(face(made)) == digest(face(draft()))
    assert digest(face(draft(total="20"))) == digest(face(draft())), "20 and 20.00 are one amount"


def test_what_changed_is_told_in_words() -> None:
    other = draft("21.00", party=Reference("customer", "175", "Acme Ltd"), due_date=date(2026, 12, 1))
    told = differences(face(draft()), face(other))
    assert set(told) == {"customer Acme → Acme Ltd", "due date nothing → 2026-12-01", "total 20.00 → 21.00"}
    more = draft(lines=(*draft().lines, *draft().lines))
    assert differences(face(draft()), face(more)) == ("line 2 is new",)
    assert differences(face(more), face(draft())) == ("line 2 is gone",)
    assert sentence(("a", "b", "c", "d", "e", "f")) == "a; b; c; d; 2 more"


def test_a_batch_adds_up_by_account_code_and_customer_and_turns_credits() -> None:
    batch = Batch()
    for made in (draft(), draft(kind="credit_memo"), draft(currency="EUR")):
        rows = journal(made, receivable="A/R", tax_account="Tax", income={"lab": "Services"})
        batch.add(made, rows)
    assert batch.to_json()["USD"] == {
        "count": 2, "total": "0.00", "tax": "0", "accounts": [["A/R", "0.00"], ["Services", "0"]],
        "codes": [["No tax code", 2, "0"]], "customers": [["Acme", 2, "0.00"]],
    }
    assert batch.to_json()["EUR"]["accounts"] == [["A/R", "20.00"], ["Services", "-20"]]
