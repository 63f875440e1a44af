"""The form of Settings, Purchase Orders: fields named as in `domain.order_settings.OrderSettings`, and its rules.

What the ledger has no use for is not asked: its field is taken out of the form, and its setting stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from blueprints.forms import Form
from blueprints.settings.section import Scene, refuse
from blueprints.settings.sections.status import STATUS
from blueprints.settings.sections.todos import ACTION_TYPES, PEOPLE
from domain.goods import EXPENSE_TYPES
from domain.order_settings import Becomes, Freight, OrderNumbers, OrderSettings, VendorNumber
from domain.orders import PAYABLE_TYPES
from domain.settings import ClosedPeriod, InitialStatus, MissingItem

BECOMES = [
    (Becomes.BILL, "Bill at once"), (Becomes.ORDER, "Purchase order"), (Becomes.ON_RECEIPT, "Bill on receipt"),
    (Becomes.ORDER_AND_BILLS, "Purchase order, and bills on receipt"),
]  # fmt: skip
_SHORT = {"quickbooks": "QBO"}
_ENUMS: dict[str, Any] = {
    "becomes": Becomes, "numbers": OrderNumbers, "bill_number": VendorNumber, "missing_item": MissingItem,
    "freight": Freight, "closed_period": ClosedPeriod, "initial_status": InitialStatus,
}  # fmt: skip


class OrdersForm(Form):
    days = IntegerField("Number of days in the past to look for unsynced POs", [
        InputRequired("Enter the number of days; 0 pauses purchase orders."),
        NumberRange(0, 365, "Enter a number of days from 0 to 365."),
    ])
    becomes = RadioField("What an order becomes", choices=[(str(v), label) for v, label in BECOMES],
                         validators=[InputRequired("Choose what an order becomes: there is no default.")])
    numbers = RadioField("Assign QBO PO Number from", choices=[("ledger", "{The_ledger}"), ("source", "Autotask")])
    bill_number = SelectField("A bill without a vendor invoice number carries", choices=[
        ("order", "The Autotask order number"), ("none", "No number")])
    external_prefix = StringField("Before a bill's id in External P.O. Number", [Length(max=20)])
    missing_item = RadioField("When an item cannot be found in QBO that matches Autotask", choices=[
        ("create", "create a new item"), ("hold", "error out and stop processing")])
    created_item_account = SelectField("for created items, select the expense account to use:", choices=[])
    payable = SelectField("Select the AP account to which the bill is credited", choices=[])
    freight_account = SelectField("Account for freight", choices=[])
    freight = SelectField("Freight stands", choices=[("first", "On the first bill"), ("by_value", "Shared by value")])
    term = SelectField("Terms where Autotask's have no equal", choices=[])
    order_class = SelectField("{Class_word} of every line", choices=[])
    location = SelectField("{Location_word}", choices=[])
    purchase_for = BooleanField("Lines name the “purchase for” customer")
    billable = BooleanField("Lines are billable to that customer")
    tax_code = SelectField("Tax code for purchases", choices=[])
    vendor_suffix = StringField("Behind a vendor's name that a customer has", [
        InputRequired("Enter what stands behind the name."), Length(max=20)])
    closed_period = SelectField("A bill dated in a closed period", choices=[
        ("stop", "Waits"), ("open_day", "Goes on the first open day")])
    initial_status = RadioField("Bills and orders arrive as", choices=[(str(v), label) for v, label in STATUS])
    error_todos = BooleanField("Create a to-do in Autotask when there is an error")
    todo_action_type = SelectField("Type of To-Do Action when there is an error.", choices=[])
    todo_resource = SelectField("Default resource to whom the error To-Dos will be assigned.", choices=[])
    todo_per_order = BooleanField("One to-do per order instead of one per cause")
    mark_errors = BooleanField("Write ERROR into External P.O. Number when there is an error")


NAMES = [each.name for each in fields(OrderSettings) if hasattr(OrdersForm, each.name)]


def filled(scene: Scene, current: OrderSettings, *, sent: bool) -> OrdersForm:
    """The form with its choices; `sent`: what came with the request is laid over what holds now."""
    data = {name: "" if (value := getattr(current, name)) is None else value for name in NAMES}
    form = OrdersForm(**({} if sent else {"formdata": None}), data={k: _plain(v) for k, v in data.items()})
    form.numbers.choices = [("ledger", scene.ledger), ("source", "Autotask")]
    form.missing_item.label.text = f"When an item cannot be found in {_qbo(scene)} that matches Autotask"
    if scene.capabilities.lines_on_accounts:
        form.missing_item.choices = [("create", "book the line on the account below"), form.missing_item.choices[1]]
        form.created_item_account.label.text = "for lines without an item, select the expense account to use:"
    form.numbers.label.text = f"Assign {_qbo(scene)} PO Number from"
    for name in _unasked(scene):
        del form[name]
    _offer(form.created_item_account, scene, "account", "Choose an expense account", _typed(EXPENSE_TYPES))
    if "payable" in form:
        _offer(form.payable, scene, "account", "Choose an AP account", _typed(PAYABLE_TYPES))
    _offer(form.freight_account, scene, "account", "Choose an account", _typed(EXPENSE_TYPES))
    for name, kind, first in (("term", "term", "The vendor's own"), ("order_class", "class", "None"),
                              ("location", "location", "None")):  # fmt: skip
        if name in form:
            _offer(form[name], scene, kind, first, None)
    if "tax_code" in form:
        _offer(form.tax_code, scene, "tax_code", "Choose a code", for_purchases)
    _offer(form.todo_action_type, scene, ACTION_TYPES, "Choose an action", None)
    _offer(form.todo_resource, scene, PEOPLE, "Choose a resource", None)
    if not sent and not form.todo_resource.data:
        people = {str((one.details or {}).get("note") or "").casefold(): one for one in scene.records(PEOPLE)}
        mine = [people[mail.casefold()] for mail in scene.emails if mail.casefold() in people]
        form.todo_resource.data = mine[0].ledger_id if mine else ""
    return form


def _unasked(scene: Scene) -> list[str]:
    """Fields that this ledger company has no use for."""
    can = scene.capabilities
    asked = {
        "payable": can.chooses_payable, "term": can.keeps_terms, "vendor_suffix": can.one_name_list,
        "purchase_for": can.names_customers, "billable": can.names_customers, "tax_code": purchase_taxed(scene),
        "initial_status": bool(can.can_promote),
    }  # fmt: skip
    return [name for name, wanted in asked.items() if not wanted]


def purchase_taxed(scene: Scene) -> bool:
    """Lines of purchases go with a tax code; before the profile was read once, wherever sales do."""
    known = (scene.company.profile or {}).get("purchase_tax")
    return scene.taxed_by_code if known is None else bool(known)


def for_purchases(code: Any) -> bool:
    return code.details.get("purchases") is not False


def _qbo(scene: Scene) -> str:
    """As the old app's fields call the ledger."""
    return _SHORT.get(scene.company.ledger, scene.ledger)


def _typed(types: tuple[str, ...]) -> Any:
    return lambda account: account.details.get("type") in types


def _offer(field: Any, scene: Scene, kind: str, first: str, keep: Any) -> None:
    """Active entries that fit; what was saved and no longer fits stays visible."""
    field.choices = scene.choices(kind, first, keep)
    held = field.data
    if held and held not in {value for value, _ in field.choices}:
        field.choices.append((held, scene.name_of(kind, held)))


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)


def check(form: OrdersForm, scene: Scene, current: OrderSettings, *, lists_ready: bool) -> bool:
    """The fields' own rules, then those that need the ledger's lists."""
    form.validate()
    if not lists_ready:
        form.form_errors.append("The lists of the ledger are still being read. Save again in a moment.")
        return False
    if form.missing_item.data == MissingItem.CREATE:
        what = "lines without an item" if scene.capabilities.lines_on_accounts else "created items"
        _must(form.created_item_account, scene, "account", f"Choose the expense account of {what}.",
              _typed(EXPENSE_TYPES))
    if "payable" in form:
        _must(form.payable, scene, "account", "Choose an AP account: active, and of type Accounts payable.",
              _typed(PAYABLE_TYPES))
    if form.freight_account.data:
        _must(form.freight_account, scene, "account", "Choose an active expense account.", _typed(EXPENSE_TYPES))
    _check_numbers(form, scene)
    if "billable" in form and form.billable.data and not form.purchase_for.data:
        refuse(form.billable, "Billable lines need the “purchase for” customer.")
    if form.error_todos.data:
        _must(form.todo_action_type, scene, ACTION_TYPES, "Choose an action type that is active in Autotask.", None)
        _must(form.todo_resource, scene, PEOPLE, "Choose a resource that is active in Autotask.", None)
    return not form.errors


def _must(field: Any, scene: Scene, kind: str, text: str, keep: Any) -> None:
    if field.data not in {each.ledger_id for each in scene.records(kind) if keep is None or keep(each)}:
        refuse(field, text)


def _check_numbers(form: OrdersForm, scene: Scene) -> None:
    """The ledger's own numbering must agree with the choice, where orders become purchase orders."""
    profile: Mapping[str, Any] = scene.company.profile or {}
    makes_orders = form.becomes.data in (Becomes.ORDER, Becomes.ORDER_AND_BILLS)
    if makes_orders and not profile.get("purchase_orders", True):
        refuse(form.becomes, f"This {scene.ledger} plan has no purchase orders. Choose a bill.")
    own = profile.get("own_order_numbers", False)
    if own is None:  # either is taken
        return
    if makes_orders and own and form.numbers.data == OrderNumbers.LEDGER:
        refuse(form.numbers, f"Custom transaction numbers are on for purchase orders in {scene.ledger}, so it gives "
               "none itself. Switch them off there, or choose Autotask.")
    if makes_orders and not own and form.numbers.data == OrderNumbers.SOURCE:
        refuse(form.numbers, f"{scene.ledger} numbers purchase orders by itself. Switch custom transaction numbers on "
               f"there, or choose {scene.ledger}.")


def values(form: OrdersForm, current: OrderSettings) -> OrderSettings:
    """The settings of a valid form; what it does not ask stays as it is."""
    return replace(current, **{name: _value(name, form[name].data) for name in NAMES if name in form})


def _value(name: str, data: Any) -> Any:
    if name in _ENUMS:
        return _ENUMS[name](data)
    if name == "vendor_suffix":
        return " " + data.strip()
    return None if data == "" and name not in ("external_prefix",) else data


def summary(current: OrderSettings, scene: Scene) -> list[tuple[str, str]]:
    """The review: each setting with what was chosen, in the order of the page."""
    form, rows = filled(scene, current, sent=False), []
    for field in form:
        if field.name not in NAMES:
            continue
        text = str(field.data)
        if field.type in ("SelectField", "RadioField"):
            text = next((label for value, label in field.choices if value == field.data), "not chosen")
        elif field.type == "BooleanField":
            text = "Yes" if field.data else "No"
        rows.append((field.label.text, "0: Paused" if field.name == "days" and current.paused else text))
    return rows


def vendor_rows(current: OrderSettings, names: Mapping[str, str], scene: Scene) -> list[dict[str, str]]:
    words = {str(value): label for value, label in BECOMES}
    return [
        {
            "id": rule.party_id, "name": names.get(rule.party_id, f"id {rule.party_id}"),
            "becomes": words[rule.becomes] if rule.becomes else "The company's choice",
            "code": scene.name_of("tax_code", rule.tax_code) if rule.tax_code else "",
            "confirmed": "Booked at a rate of 1.00, confirmed" if rule.home_currency_confirmed else "",
        }
        for rule in current.vendors
    ]  # fmt: skip


