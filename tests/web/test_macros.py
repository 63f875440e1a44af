"""The component macros say word, shape and colour, name their fields, and refuse what is not in the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, g, render_template_string
from wtforms import Form, RadioField, SelectField, StringField
from wtforms.validators import InputRequired

from blueprints import presentation
from domain import formats
from domain.statuses import RunState, Status
from tests.web import html_checks
from tests.web.pages.facts import problem, row
from tests.web.pages.stage import make_app


class Sample(Form):
    name = StringField("Name", [InputRequired("Enter a name.")])
    kind = RadioField("Kind", choices=[("a", "First"), ("b", "Second")])
    account = SelectField("Account", choices=[("", "Choose"), ("1", "Sales")])


@pytest.fixture(scope="module")
def app() -> Flask:
    return make_app()


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        g.zone, g.company_id = "America/Chicago", 7
        yield


def macro(source: str, call: str, **context: Any) -> str:
    return render_template_string(f"{{% import 'macros/{source}.html' as m %}}{{{{ m.{call} }}}}", **context)


@pytest.mark.parametrize("word", [*Status, *RunState])
def test_every_status_word_has_a_shape_of_its_own(word: str) -> None:
    html = macro("status", "status(word)", word=word)
    assert html.endswith(f"{word}</span>")
    assert f"#{presentation.STATUS_LOOKS[word].icon}" in html


def test_the_looks_cover_the_vocabulary_and_nothing_else() -> None:
    assert set(presentation.STATUS_LOOKS) == {str(word) for word in (*Status, *RunState)}


def test_a_word_outside_the_vocabulary_is_an_error() -> None:
    with pytest.raises(KeyError):
        macro("status", "status('Done')")


def test_document_statuses_do_not_share_a_shape() -> None:
    shapes = [presentation.STATUS_LOOKS[word].icon for word in Status]
    assert len(set(shapes)) == len(shapes)


def test_an_empty_form_lists_each_error_once_on_top_and_at_its_field() -> None:
    form = Sample()
    assert not form.validate()
    html = macro("forms", "error_summary(form)", form=form) + macro("forms", "field(form.name)", form=form)
    root, errors = html_checks.parse(f"<!doctype html><title>x</title><h1>x</h1>{html}")
    assert errors == []
    assert next(link.get("href") for link in root.iter("a")) == "#name"
    control = next(each for each in root.iter("input") if each.get("id") == "name")
    assert control.get("aria-invalid") == "true" and control.get("aria-describedby") == "name-error"
    assert "".join(root.itertext()).count("Enter a name.") == 2


def test_the_error_summary_leads_to_the_first_radio() -> None:
    form = Sample()
    form.kind.errors = ["Choose one."]
    assert 'href="#kind-0"' in macro("forms", "error_summary(form)", form=form)
    assert 'id="kind-0"' in macro("forms", "pick(form.kind)", form=form)


def test_a_hint_and_an_error_both_describe_their_field() -> None:
    form = Sample()
    form.name.errors = ["Enter a name."]
    html = macro("forms", "field(form.name, 'As on the invoice.')", form=form)
    assert 'aria-describedby="name-hint name-error"' in html


def test_what_a_person_typed_is_escaped_everywhere() -> None:
    evil = "<script>alert(1)</script>"
    form = Sample(data={"name": evil})
    form.name.errors = [evil]
    html = macro("forms", "field(form.name)", form=form) + macro("forms", "error_summary(form)", form=form)
    html += macro("problems", "problem(reason)", reason={**problem(), "happened": evil})
    html += macro("tables", "goto(row)", row={**row("1", evil, "1.00", "Complete", evil, []), "number": evil})
    assert "<script" not in html


def test_post_forms_carry_the_token_and_the_company() -> None:
    html = macro("actions", "post_button('/somewhere', 'Retry 6', fields={'cause': 'item'})")
    assert 'name="csrf_token" value="stage-token"' in html
    assert 'name="company_id" value="7"' in html
    assert 'name="cause" value="item"' in html


def test_a_disabled_button_says_why() -> None:
    html = macro("actions", "button('Clear', disabled_because='Nothing is stuck')")
    assert "<button" not in html and "Nothing is stuck" in html


def test_the_current_sort_turns_its_direction() -> None:
    columns = [presentation.Column("Amount", "amount")]
    up = macro("tables", "head_cell(c, 'amount', 'f')", c=columns[0])
    down = macro("tables", "head_cell(c, '-amount', 'f')", c=columns[0])
    assert 'aria-sort="ascending"' in up and 'value="-amount"' in up
    assert 'aria-sort="descending"' in down and 'value="amount"' in down


def test_a_table_without_rows_says_so() -> None:
    source = (
        "{% from 'macros/tables.html' import table %}"
        "{% call(r) table('Runs', [col('Run'), col('Result')], [], 'No run yet.') %}{% endcall %}"
    )
    html = render_template_string(source)
    assert 'colspan="2">No run yet.<' in html and "<caption" in html


def test_a_document_without_a_ledger_record_has_no_link_to_it() -> None:
    html = macro("tables", "goto(row)", row=row("10448", "Northwind", "1.00", "Fault", "", []))
    assert html.count("<a ") == 2 and "Not in QuickBooks yet" in html


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.5", "USD", "1,234.50"),
        ("-1234.5", "USD", "−1,234.50"),
        ("0", "GBP", "0.00"),
        ("1500", "JPY", "1,500"),
        ("1.2345", "KWD", "1.235"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(amount: str, currency: str, text: str) -> None:
    assert formats.format_amount(Decimal(amount), currency) == text


def test_sums_of_several_currencies_are_never_added() -> None:
    sums = [("GBP", Decimal(10)), ("USD", Decimal(3)), ("EUR", Decimal(-1))]
    assert formats.format_totals(sums) == "GBP 10.00, USD 3.00 and EUR −1.00"
    assert formats.format_totals([]) == ""


def test_a_moment_is_shown_in_the_companys_zone_with_utc_on_hover() -> None:
    html = presentation.when(datetime(2026, 11, 19, 20, 1, 5, tzinfo=UTC))
    assert ">19 Nov 2026, 14:01<" in html and 'title="19 Nov 2026, 20:01:05 UTC"' in html


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        presentation.when(datetime(2026, 11, 19, 20, 1))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (12, "12 s"), (252, "4 min 12 s"), (240, "4 min"), (11_100, "3 h 5 min"), (187_200, "2 d 4 h")],
)
def test_spans_have_their_two_largest_units(seconds: float, text: str) -> None:
    assert formats.format_span(timedelta(seconds=seconds)) == text


def test_a_chart_stays_inside_its_plot() -> None:
    days = [{"complete": n, "fault": n % 3, "waiting": n % 5} for n in (0, 1, 17, 412)]
    plot = presentation.chart_geometry(days)
    assert all(0 <= y <= 142 and y + height <= 142.1 for bar in plot.bars for _, y, height, _ in bar.parts)
    assert 2 <= len(plot.lines) <= 6 and plot.lines[0] == (0, 142.0)
    assert [sum(number for *_, number in bar.parts) for bar in plot.bars] == [0, 3, 21, 415]


def test_a_chart_without_any_document_has_an_axis() -> None:
    plot = presentation.chart_geometry([{"complete": 0, "fault": 0, "waiting": 0}])
    assert plot.bars[0].parts == [] and plot.lines[0] == (0, 142.0)


def test_an_asset_address_changes_with_its_content(app: Flask) -> None:
    assert presentation.asset("app.js") != presentation.asset("bookbridge.css")
    assert "v=missing" in presentation.asset("not-there.css")
