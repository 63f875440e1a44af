"""The start date. The view asks once when an earlier one lets older invoices in."""

from __future__ import annotations

from wtforms import BooleanField, DateField
from wtforms.validators import InputRequired

from blueprints.settings.section import Section


class Start(Section):
    key = "start"
    title = "Start date"
    why = "Older invoices are counted and listed, never posted by themselves."
    whole = "start_date"

    class Fields:
        start_date = DateField("Start date", [InputRequired("Enter the start date.")])
        confirm_start_date = BooleanField("Yes, let these older invoices in")
