"""Autotask's rows without a wire: nothing that may stand in a row stops the reading."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.sources import autotask_payloads as rows
from connectors.sources.autotask_check import iana_zone

UTC_ZONE = ZoneInfo("UTC")
ROW: dict[str, Any] = {
    "id": 7364,
    "companyID": 175,
    "createDateTime": "2026-11-20T16:02:11.417Z",
    "invoiceDateTime": "2026-11-20T00:00:00Z",
    "dueDate": "2026-12-20T00:00:00",
    "invoiceNumber": "AT-10031",
    "invoiceTotal": Decimal("541.25"),
    "totalTaxValue": Decimal("41.25"),
    "isVoided": False,
    "paymentTerm": 2,
    "taxRegionName": "NY Albany",
    "webServiceDate": None,
}


def test_a_row_becomes_a_header() -> None:
    header = rows.header(ROW, UTC_ZONE)
    assert header is not None
    assert (header.id, header.number, header.party_id, header.term_id) == ("7364", "AT-10031", "175", "2")
    assert (header.document_date, header.due_date) == (date(2026, 11, 20), date(2026, 12, 20))
    assert header.created_at == datetime(2026, 11, 20, 16, 2, 11, 417000, UTC)
    assert (header.total, header.tax_total, header.voided, header.marked_at) == (
        Decimal("541.25"),
        Decimal("41.25"),
        False,
        None,
    )


@pytest.mark.parametrize("missing", ["invoiceTotal", "id"])
def test_a_row_that_is_no_invoice_yet_is_left_for_a_later_poll(missing: str) -> None:
    assert rows.header({**ROW, missing: None}, UTC_ZONE) is None
    assert rows.header({**ROW, "createDateTime": "soon", "invoiceDateTime": None}, UTC_ZONE) is None


@pytest.mark.parametrize("value", [None, "", "  ", "ERROR", "error"])
def test_blank_and_failed_numbers_are_none(value: str | None) -> None:
    header = rows.header({**ROW, "invoiceNumber": value}, UTC_ZONE)
    assert header is not None and header.number is None


def test_company_zero_is_a_company() -> None:
    header = rows.header({**ROW, "companyID": 0}, UTC_ZONE)
    assert header is not None and header.party_id == "0"


def test_unknown_fields_and_odd_values_do_not_stop_a_line() -> None:
    odd: dict[str, Any] = {
        "id": 1,
        "quantity": None,
        "rate": "12.50",
        "extendedPrice": "NaN",
        "taxDollars": True,
        "billingItemType": None,
        "itemDate": "0001-01-01T00:00:00",
        "lineItemFullDescription": "  ",
        "description": 42,
        "newField": {"x": [1]},
    }
    line = rows.line(odd, ZoneInfo("America/New_York"), {}, None)
    assert (line.quantity, line.rate, line.extended_price, line.tax) == (0, Decimal("12.50"), 0, 0)
    assert (line.text, line.name, line.code_id, line.party_id) == ("42", "", None, None)


def test_the_printed_text_wins_over_the_short_one() -> None:
    line = rows.line({"id": 1, "lineItemFullDescription": "printed", "description": "short"}, UTC_ZONE, {}, None)
    assert line.text == "printed"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2012-10-24T05:00:00.000Z", datetime(2012, 10, 24, 5, tzinfo=UTC)),
        ("2012-10-24T05:00:00", datetime(2012, 10, 24, 5, tzinfo=UTC)),
        ("2012-10-24T05:00:00.1234567Z", datetime(2012, 10, 24, 5, 0, 0, 123456, UTC)),
        ("2012-10-24T05:00:00-04:00", datetime(2012, 10, 24, 9, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_moments_are_read_in_every_spelling_seen(text: str | None, moment: datetime | None) -> None:
    assert rows.moment(text) == moment


def test_lines_come_in_printed_order_and_unplaced_ones_last() -> None:
    listed: list[dict[str, Any]] = [{"id": 1}, {"id": 3, "sortOrderID": 1}, {"id": 2, "sortOrderID": 2}]
    assert [row["id"] for row in sorted(listed, key=rows.printed_order)] == [3, 2, 1]


def test_ids_travel_as_numbers() -> None:
    assert rows.one_of("id", ["12", "0"]) == {"op": "in", "field": "id", "value": [12, 0]}


@pytest.mark.parametrize(
    "body",
    [
        {"item": {"data": base64.b64encode(b"%PDF").decode()}},
        {"data": base64.b64encode(b"%PDF").decode()},
        {"item": {"data": list(b"%PDF")}},
    ],
)
def test_a_pdf_is_taken_out_of_every_known_envelope(body: dict[str, Any]) -> None:
    assert rows.pdf(body) == b"%PDF"


@pytest.mark.parametrize("body", [{}, {"item": None}, {"data": "***"}, {"data": [999]}, {"data": ["x"]}])
def test_what_is_no_pdf_is_none(body: dict[str, Any]) -> None:
    assert rows.pdf(body) is None


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/London", "Europe/London"),
        ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT+10:00) Canberra, Melbourne, Sydney", "Australia/Sydney"),
        ("(UTC) Coordinated Universal Time", "UTC"),
        ("../../etc/passwd", None),
        ("somewhere", None),
    ],
)
def test_autotasks_time_zone_names_are_understood(name: str, zone: str | None) -> None:
    assert iana_zone(name) == zone
