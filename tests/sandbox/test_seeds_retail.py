"""The loader of real invoices: what it makes of a file, and what it says of one it cannot read."""

from __future__ import annotations

import gzip
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.autotask.tenants import Tenant, all_tenants
from sandbox.autotask.views import parse_moment
from sandbox.seeds import retail
from sandbox.world import World

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
FIRST = (
    "536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    "536365,85123a,,1,2010-12-01 08:26:00,0.125,17850.0,United Kingdom\n"
    "C536379,D,Discount,-1,2010-12-01 09:41:00,27.50,14527.0,EIRE\n"
    "536414,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom\n"
)
SECOND = (
    "536365,POST,POSTAGE,1,2010-12-03 10:00:00,18.00,12583.0,Ruritania\n"
    "A563185,B,Adjust bad debt,1,2010-12-03 14:50:00,-11062.06,,United Kingdom\n"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "2010-12-01.csv.gz").write_bytes(gzip.compress((HEADER + FIRST).encode()))
    (tmp_path / "data" / "2010-12-03.csv").write_text(HEADER + SECOND)
    (tmp_path / "data" / "README.md").write_text("not data")
    return tmp_path / "data"


def load(world: World, data: Path) -> tuple[dict[str, Any], Tenant]:
    result = retail.load(world, data)
    return result, Tenant(world, result["ci"])


def test_numbers_totals_and_parties(sandbox_world: World, data: Path) -> None:
    result, tenant = load(sandbox_world, data)
    invoices = tenant.rows("Invoices")
    assert [(row["invoiceNumber"], row["invoiceTotal"]) for row in invoices] == [
        ("536365", Decimal("15.43")),
        ("C536379", Decimal("-27.50")),
        ("536414", Decimal("0.00")),
        ("536365", Decimal("18.00")),
        ("A563185", Decimal("-11062.06")),
    ]
    assert ["companyID" in row for row in invoices] == [True, True, False, True, False]
    assert {row["taxRegionName"] for row in invoices} == {"No tax"}
    assert result["counts"] == {"invoices": 5, "lines": 6, "companies": 3, "billing_codes": 6}
    ireland = next(row for row in tenant.rows("Companies") if row.get("companyNumber") == "14527")
    assert (tenant.row("Countries", ireland["countryID"]) or {})["countryCode"] == "IE"


def test_the_last_day_is_yesterday_and_the_time_of_day_stays(sandbox_world: World, data: Path) -> None:
    result, tenant = load(sandbox_world, data)
    zone = ZoneInfo("Europe/London")
    yesterday = sandbox_world.clock.now().astimezone(zone).date() - timedelta(days=1)
    first, *_, last = tenant.rows("Invoices")
    assert first["createDateTime"] == first["invoiceDateTime"]
    moment = parse_moment(first["invoiceDateTime"]).astimezone(zone)
    assert (moment.date(), moment.strftime("%H:%M")) == (yesterday - timedelta(days=2), "08:26")
    assert parse_moment(last["invoiceDateTime"]).astimezone(zone).date() == yesterday
    assert result["first_day"] == moment.date().isoformat()


def test_billing_codes_keep_case_and_take_the_first_text(sandbox_world: World, data: Path) -> None:
    _, tenant = load(sandbox_world, data)
    codes = {row["externalNumber"]: row["name"] for row in tenant.rows("BillingCodes")}
    assert codes == {
        "85123A": "WHITE HANGING HEART",
        "85123a": "85123a",
        "D": "Discount",
        "22139": "22139",
        "POST": "POSTAGE",
        "B": "Adjust bad debt",
    }
    blank = next(row for row in tenant.rows("BillingItems") if row["rate"] == Decimal("0.125"))
    assert "lineItemFullDescription" not in blank and blank["extendedPrice"] == Decimal("0.13")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,A,x,six,2010-12-01 08:26:00,1,1.0,UK", "bad.csv, line 3, column Quantity: 'six'"),
        ("1,A,x,1,01/12/2010 08:26,1,1.0,UK", "bad.csv, line 3, column InvoiceDate"),
        ("1,A,x,1,2010-12-01 08:26:00,NaN,1.0,UK", "bad.csv, line 3, column UnitPrice"),
        ("1,A,x,1,2010-12-01 08:26:00,1,Bob,UK", "bad.csv, line 3, column CustomerID"),
        (",A,x,1,2010-12-01 08:26:00,1,1.0,UK", "bad.csv, line 3, column InvoiceNo"),
        ("1,A,x", "bad.csv, line 3, column Quantity: 3 values"),
        ('1,"A', "bad.csv, line 3"),
    ],
)
def test_an_unreadable_row_names_file_line_and_column(
    sandbox_world: World, tmp_path: Path, row: str, words: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(f"{HEADER}1,A,x,1,2010-12-01 08:26:00,1,1.0,UK\n{row}\n")
    with pytest.raises(retail.RetailError) as refused:
        retail.load(sandbox_world, file)
    assert words in str(refused.value)
    assert all_tenants(sandbox_world) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv.gz", b"no gzip", "cannot be read"),
        ("a.csv", b"\xff\xfe\x00", "not UTF-8"),
        ("a.csv", b"InvoiceNo,StockCode\n1,2\n", "column Description: the header lacks it"),
        ("a.csv", HEADER.encode(), "there are no invoices"),
    ],
)
def test_an_unreadable_file_says_why(
    sandbox_world: World, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(retail.RetailError, match=words):
        retail.load(sandbox_world, tmp_path / name)


def test_the_day_carried_by_the_repository_loads(sandbox_world: World) -> None:
    folder = Path(retail.__file__).parent.parent / "data" / "online-retail"
    result, tenant = load(sandbox_world, folder)
    assert result["counts"]["invoices"] == 22 and result["counts"]["lines"] == 291
    assert "CC BY 4.0" in (folder / "SOURCE.md").read_text()
    assert sum(row["extendedPrice"] for row in tenant.rows("BillingItems")) == sum(
        row["invoiceTotal"] for row in tenant.rows("Invoices")
    )


MONTH = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "online-retail"


@pytest.mark.slow
@pytest.mark.skipif(not MONTH.is_dir(), reason="the month of real invoices is not beside this checkout")
def test_the_real_month_holds_its_published_control_totals(sandbox_world: World) -> None:
    result, tenant = load(sandbox_world, MONTH)
    invoices = tenant.rows("Invoices")
    eligible = [row["invoiceTotal"] for row in invoices if row["invoiceTotal"] and "companyID" in row]
    assert (len(invoices), result["counts"]["lines"]) == (2025, 42481)
    assert sum(1 for row in invoices if row["invoiceTotal"] == 0) == 140
    assert (sum(1 for total in eligible if total > 0), sum(1 for total in eligible if total < 0)) == (1400, 308)
    assert sum(eligible) == Decimal("554604.02")
    assert sum(row["invoiceTotal"] for row in invoices) == Decimal("748957.02")


def test_the_same_invoices_once_more_under_new_numbers(sandbox_world: World, data: Path) -> None:
    _, tenant = load(sandbox_world, data)
    counts = [sandbox_world.store.count(tenant.space, kind) for kind in ("Companies", "BillingCodes", "Countries")]
    assert retail.again(sandbox_world, data, prefix="R-")["counts"] == {"invoices": 5, "lines": 6}
    rows = tenant.rows("Invoices")
    names = ("companyID", "invoiceDateTime", "invoiceTotal", "taxRegionName")
    for first, second in zip(rows[:5], rows[5:], strict=True):
        assert second["invoiceNumber"] == f"R-{first['invoiceNumber']}"
        assert [second.get(name) for name in names] == [first.get(name) for name in names]
    after = [sandbox_world.store.count(tenant.space, kind) for kind in ("Companies", "BillingCodes", "Countries")]
    assert after == counts
    with pytest.raises(ValueError, match="no Autotask tenant"):
        retail.again(sandbox_world, data, slug="nobody")
