"""Nonsense in every form of Settings, Tools, Error Logs and documents: a field error, a refusal in words or "not
found", never a trace."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from blueprints.settings.fields import InvoicesForm
from blueprints.settings.order_fields import OrdersForm
from models import Outbox, SettingsVersion
from tests.web.site import BASE, Site
from tests.web.test_access import rules
from tools.demo import pages as read_pages

NONSENSE = {
    "letters": "abc",
    "negative": "-5",
    "ten thousand": "10000",
    "fifty addresses": "\n".join(f"u{n}@x.example" for n in range(50)),
    "a second header": "a@x.example\r\nBcc: b@x.example",
    "control characters": "\x00\x1b[31m",
    "a very large number": "9" * 400,
    "markup": "<script>alert(1)</script>",
}
FIELDS = (
    *(
        name for form in (InvoicesForm, OrdersForm) for name in dir(form)
        if hasattr(getattr(form, name), "creation_counter")
    ),
    "email", "role", "other", "alternate", "additional", "max_age_days", "invoice_id", "document_id", "item", "id", "q",
    "source_id", "customer", "reason", "confirmed", "run_id", "page", "effect", "version", "before", "after", "file",
    "flag", "found", "kind", "status", "code", "waits", "target", "action", "invoice", "view", "cause", "decision",
    "overwrite", "through", "order", "active",
)  # fmt: skip
REFUSALS = {200, 204, 302, 400, 404, 405, 409, 413, 422}


def forms(method: str) -> list[tuple[str, str, set[str]]]:
    """Endpoint, address pattern and arguments of everything under Settings, Tools, Error Logs and documents."""
    return [
        (rule.endpoint, str(rule), rule.arguments - {"company_id"})
        for rule in rules()
        if rule.endpoint.split(".")[0] in ("settings", "tools", "logs", "home") and method in (rule.methods or ())
    ]


def addresses(site: Site, pattern: str, arguments: set[str]) -> list[str]:
    """With ids of another company, ids that never were, and no ids at all."""
    wrong = ("abc", "-1", "999999999", "9" * 30)
    filled = pattern.replace("<int:company_id>", str(site.ids["A"]["company_id"]))
    if not arguments:
        return [filled]
    found = []
    for value in (*wrong, *(str(site.ids["B"].get(name, 999_999)) for name in sorted(arguments))):
        path = filled
        for name in arguments:
            for shape in (f"<int:{name}>", f"<{name}>"):
                path = path.replace(shape, value)
        found.append(path)
    return found


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_refused_without_a_trace(shared_site: Site, kind: str) -> None:
    site, client = shared_site, shared_site.client("A admin")
    a = site.ids["A"]["company_id"]
    told = {}
    for method in ("POST", "GET"):
        for endpoint, pattern, arguments in forms(method):
            for path in addresses(site, pattern, arguments):
                sent = MultiDict([(name, NONSENSE[kind]) for name in FIELDS])
                if method == "POST":
                    answer = client.post(path, base_url=BASE, data=MultiDict([*sent.items(), ("company_id", str(a))]))
                else:
                    asked = MultiDict([(name, NONSENSE[kind][:60]) for name in FIELDS])
                    answer = client.get(path, base_url=BASE, query_string=asked)
                if answer.status_code not in REFUSALS or b"Traceback" in answer.data:
                    told[f"{method} {endpoint} {path}"] = answer.status_code
    assert told == {}
    with site.db() as db:
        newest = db.scalars(select(SettingsVersion.version).where(SettingsVersion.company_id == a)).all()
        assert newest == [1]
        recipients = db.scalars(select(Outbox.recipient)).all()
        assert not [each for each in recipients if "\n" in each or "\r" in each or "Bcc" in each]


@pytest.mark.parametrize("kind", NONSENSE)
def test_the_settings_form_says_which_answers_are_wrong(shared_site: Site, kind: str) -> None:
    a = shared_site.ids["A"]["company_id"]
    sent = MultiDict([(name, NONSENSE[kind]) for name in FIELDS] + [("company_id", str(a))])
    answer = shared_site.client("A admin").post(f"/c/{a}/settings/invoices", base_url=BASE, data=sent)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "<title>Error: " in text
    assert "<script>alert" not in text


def test_every_field_of_every_form_gets_its_nonsense(shared_site: Site) -> None:
    """Read from the pages: a new field of a tool or of Settings that is not filled in above fails here."""
    client, ids = shared_site.client("A admin"), shared_site.ids["A"]
    unknown = {}
    for endpoint, pattern, arguments in forms("GET"):
        path = pattern.replace("<int:company_id>", str(ids["company_id"]))
        for name in arguments:
            path = path.replace(f"<int:{name}>", str(ids.get(name, 1)))
        answer = client.get(path, base_url=BASE)
        if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
            continue
        page = read_pages.read(answer.get_data(as_text=True))
        names = {control.name for form in page.forms for control in form.controls if control.kind != "hidden"}
        left = {name for name in names if name not in FIELDS}
        if left:
            unknown[endpoint] = sorted(left)
    assert unknown == {}
