"""The form of Settings, Invoices: fields, choices from the mirror, and rules that need more than one field.

Field names are those of `domain.settings.InvoiceSettings`. Labels are the words of the apps our users come from.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField, IntegerField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, NumberRange

from blueprints.forms import Addresses, Form, split_addresses
from domain.settings import BlankText, InvoiceSettings, MatchBy, MissingItem, Numbering, SyncState, ZeroTotal
from models import Company, MirrorEntry

INCOME = ("Income", "Other Income")
LABELS = {
    "sync_state": "Invoice sync status",
    "start_date": "Start date",
    "numbering": "Invoice numbering option",
    "match_by": "Autotask billing code field used to match item names",
    "missing_item": "If an item is missing",
    "created_item_account": "Account for created items",
    "untaxed_code": "Tax code for documents without tax",
    "recipients": "Who gets the report",
    "look_back_days": "Calendar days in the past to look for unsynced invoices",
    "zero_total": "Zero-total invoices",
    "blank_text": "A line without text",
    "run_limit": "Documents a run may post without asking",
    "time_zone": "Time zone of the company",
    "source_time_zone": "Autotask time zone",
}
NUMBERING = (
    (Numbering.SOURCE, "Use the invoice number in Autotask if available"),
    (Numbering.SOURCE_ID, "Use the Autotask Invoice ID"),
    (Numbering.LEDGER, "Let the ledger generate the number"),
)
MATCH_BY = (
    (MatchBy.NUMBER, "Billing Code External Number"),
    (MatchBy.NAME, "Billing Code Name"),
    (MatchBy.ID, "Billing Code ID"),
)
MISSING = ((MissingItem.HOLD, "Hold the invoice"), (MissingItem.CREATE, "Create the item"))
ZERO = ((ZeroTotal.SKIP, "Skip"), (ZeroTotal.POST, "Post"))
BLANK = ((BlankText.NAME, "Take the item's name"), (BlankText.HOLD, "Hold the invoice"))
# People look for a city, not for one of the database's 600 names; a company's own zone is added where it is missing.
ZONES = tuple(
    sorted(
        name
        for name in available_timezones()
        if name.split("/")[0] in ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Pacific")
        and name.count("/") == 1
    )
)


def _text_choices(choices: Any) -> list[tuple[str, str]]:
    return [(str(value), label) for value, label in choices]


class InvoicesForm(Form):
    sync_state = RadioField(
        LABELS["sync_state"],
        [InputRequired("Choose what happens to new invoices.")],
        choices=[(str(each), str(each)) for each in SyncState],
    )
    start_date = DateField(LABELS["start_date"], [InputRequired("Enter the start date.")])
    confirm_start_date = BooleanField("Yes, let these older invoices in")
    numbering = RadioField(
        LABELS["numbering"],
        [InputRequired("Choose which number the documents carry.")],
        choices=_text_choices(NUMBERING),
    )
    match_by = SelectField(
        LABELS["match_by"], [InputRequired("Choose the field that names the item.")], choices=_text_choices(MATCH_BY)
    )
    missing_item = RadioField(
        LABELS["missing_item"],
        [InputRequired("Choose what happens to a missing item.")],
        choices=_text_choices(MISSING),
    )
    created_item_account = SelectField(LABELS["created_item_account"], choices=[])
    untaxed_code = SelectField(LABELS["untaxed_code"], choices=[])
    recipients = TextAreaField(LABELS["recipients"], [Addresses()])
    look_back_days = IntegerField(
        LABELS["look_back_days"],
        [
            InputRequired("Enter how many days to look back."),
            NumberRange(1, 400, "Enter a number of days from 1 to 400."),
        ],
    )
    zero_total = RadioField(
        LABELS["zero_total"], [InputRequired("Choose what happens to invoices of 0.00.")], choices=_text_choices(ZERO)
    )
    blank_text = RadioField(
        LABELS["blank_text"], [InputRequired("Choose what a line without text shows.")], choices=_text_choices(BLANK)
    )
    run_limit = IntegerField(
        LABELS["run_limit"],
        [
            InputRequired("Enter how many documents a run may post without asking."),
            NumberRange(1, 100_000, "Enter a number from 1 to 100,000."),
        ],
    )
    source_time_zone = SelectField(LABELS["source_time_zone"], choices=[])
    time_zone = SelectField(LABELS["time_zone"], choices=[])

    def over(self, current: InvoiceSettings) -> InvoiceSettings:
        """The settings of a valid form; what this form does not show stays as it is."""
        return replace(
            current,
            start_date=self.start_date.data,
            sync_state=SyncState(self.sync_state.data),
            look_back_days=self.look_back_days.data,
            numbering=Numbering(self.numbering.data),
            match_by=MatchBy(self.match_by.data),
            missing_item=MissingItem(self.missing_item.data),
            created_item_account=self.created_item_account.data or None,
            zero_total=ZeroTotal(self.zero_total.data),
            blank_text=BlankText(self.blank_text.data),
            untaxed_code=(self.untaxed_code.data or None) if "untaxed_code" in self else None,
            run_limit=self.run_limit.data,
            time_zone=self.time_zone.data,
            source_time_zone=self.source_time_zone.data,
            recipients=tuple(split_addresses(self.recipients.data)),
        )


def filled(db: Session, company: Company, current: InvoiceSettings, *, empty: bool) -> InvoicesForm:
    """The form with its choices. `empty` False: what was sent is laid over the settings that hold now."""
    form = InvoicesForm(**({"formdata": None} if not empty else {}), data=stored(current))
    form.created_item_account.choices = [("", "Choose an account"), *_accounts(db, company.id)]
    if needs_untaxed_code(company):
        form.untaxed_code.choices = [("", "Choose a tax code"), *_tax_codes(db, company.id)]
    else:
        del form.untaxed_code
    for field, own in ((form.time_zone, current.time_zone), (form.source_time_zone, current.source_time_zone)):
        names = ZONES if own in ZONES else (own, *ZONES)
        field.choices = [("UTC", "UTC")] * ("UTC" not in names) + [(name, name.replace("_", " ")) for name in names]
    return form


def stored(current: InvoiceSettings) -> dict[str, Any]:
    """Settings as a form shows them."""
    values: dict[str, Any] = {field.name: getattr(current, field.name) for field in fields(current)}
    shown = {name: value if isinstance(value, int | date) else str(value or "") for name, value in values.items()}
    return {**shown, "recipients": "\n".join(current.recipients)}


def needs_untaxed_code(company: Company) -> bool:
    """Outside the US every line of a document needs a tax code."""
    return company.country not in ("", "US")


def check(form: InvoicesForm, company: Company, *, lists_ready: bool) -> bool:
    """The form's own rules, then those that need the ledger's preferences. Errors stand at their fields."""
    valid = bool(form.validate())
    if not lists_ready:
        form.form_errors.append("The lists of the ledger are still being read. Save again in a moment.")
        return False
    if form.missing_item.data == MissingItem.CREATE and not form.created_item_account.data:
        valid = _refuse(form.created_item_account, "Choose the account on which created items are booked.")
    if "untaxed_code" in form and not form.untaxed_code.data:
        valid = _refuse(form.untaxed_code, "Choose the tax code for documents without tax.")
    contradiction = numbering_contradiction(company, form.numbering.data)
    if contradiction:
        valid = _refuse(form.numbering, contradiction)
    return valid


def numbering_contradiction(company: Company, chosen: str | None) -> str:
    """A choice that the ledger's own preference contradicts, and how to change it; empty when they agree."""
    own_numbers = (company.profile or {}).get("own_numbers")
    where = "In QuickBooks: Gear, Account and settings, Sales, Sales form content, Custom transaction numbers"
    if own_numbers is False and chosen in (Numbering.SOURCE, Numbering.SOURCE_ID):
        return f"QuickBooks numbers documents itself, so ours would be lost. {where}: switch it on, then refresh lists."
    if own_numbers is True and chosen == Numbering.LEDGER:
        return f"QuickBooks takes our numbers, so there would be none. {where}: switch it off, then refresh lists."
    return ""


def _refuse(field: Any, text: str) -> bool:
    field.errors = [*field.errors, text]
    return False


def _accounts(db: Session, company_id: int) -> list[tuple[str, str]]:
    rows = db.scalars(
        select(MirrorEntry)
        .where(MirrorEntry.company_id == company_id, MirrorEntry.kind == "account", MirrorEntry.active.is_(True))
        .order_by(MirrorEntry.folded)
    )
    return [(row.ledger_id, row.name) for row in rows if row.details.get("type") in INCOME]


def _tax_codes(db: Session, company_id: int) -> list[tuple[str, str]]:
    """Codes that bear no tax come first."""
    rows = db.scalars(
        select(MirrorEntry)
        .where(MirrorEntry.company_id == company_id, MirrorEntry.kind == "tax_code", MirrorEntry.active.is_(True))
        .order_by(MirrorEntry.folded)
    ).all()
    ordered = sorted(rows, key=lambda row: str(row.details.get("rate") or "").strip("0.") != "")
    return [(row.ledger_id, row.name) for row in ordered]
