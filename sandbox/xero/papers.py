"""What hangs on a record: attachments, history and notes; and sending an invoice to its customer.

Source: Xero, api/accounting/attachments, history-and-notes, invoices; fact sheet sections 3.2 and 3.6.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping
from typing import Any

from sandbox.papers import mail
from sandbox.xero import forms, wire
from sandbox.xero.errors import CallRefused, Invalid, not_found
from sandbox.xero.ledger import SALES
from sandbox.xero.organisation import Organisation

Body = dict[str, Any]
MOST_FILES, MOST_BYTES, NOTE = 10, 10 * 1024 * 1024, 2500
_FORBIDDEN = set('<>:"/\\|?*+\0')
PARENTS = {
    "invoices": "Invoice",
    "creditnotes": "CreditNote",
    "purchaseorders": "PurchaseOrder",
    "contacts": "Contact",
    "items": "Item",
    "payments": "Payment",
}


def attach(org: Organisation, record: Mapping[str, Any], name: str, content: bytes, *, online: bool) -> Body:
    """Keep a file; the same name again overwrites. The type follows the name. Raises ``Invalid``."""
    if not name or _FORBIDDEN & set(name):
        raise Invalid(["The file name contains characters that are not allowed."])  # inferred
    if len(content) > MOST_BYTES:
        raise Invalid(["The file is larger than 10 MB."])  # inferred
    if org.switch("attachments_html_refused") and name.lower().endswith((".htm", ".html")):
        raise Invalid(["Files of this type are not allowed."])  # inferred
    files = [each for each in record.get("attachments", []) if each["FileName"] != name]
    if len(files) >= MOST_FILES:
        raise Invalid([f"A document can have at most {MOST_FILES} attachments."])  # inferred
    ident = org.new_id("Attachment")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    row = {"AttachmentID": ident, "FileName": name, "MimeType": kind, "ContentLength": len(content)}
    row |= {"IncludeOnline": online and record["entity"].get("Type") in SALES}
    org.store.put(org.space, "_file", ident, {"content": base64.b64encode(content).decode()})
    org.replace(record, record["entity"], _keys(record), "attach", touch=False, attachments=[*files, row])
    return present_file(org, record, row)


def _keys(record: Mapping[str, Any]) -> dict[str, str | None]:
    entity = record["entity"]
    if record["kind"] in forms.FORMS:
        return forms.keys(forms.FORMS[record["kind"]], entity, entity["ContactID"])
    if record["kind"] == "Contact":
        return {"name": entity["Name"].casefold(), "number": entity.get("ContactNumber")}
    raise Invalid(["Attachments are not supported here."])  # inferred


def present_file(org: Organisation, record: Mapping[str, Any], row: Mapping[str, Any]) -> Body:
    """An attachment as answers show it."""
    envelope = next(name for name, kind in PARENTS.items() if kind == record["kind"])
    url = f"{org.world.public_url}/xero/api/api.xro/2.0/{envelope}/{record['id']}/Attachments/{row['FileName']}"
    return {**row, "Url": url}


def content(org: Organisation, record: Mapping[str, Any], which: str) -> tuple[bytes, str]:
    """The bytes and type of an attachment, by name or id. Raises 404."""
    for row in record.get("attachments", []):
        if which in (row["FileName"], row["AttachmentID"]):
            kept = org.store.get(org.space, "_file", row["AttachmentID"])
            return base64.b64decode(kept["content"]) if kept else b"", row["MimeType"]
    raise not_found()


def history(org: Organisation, kind: str, ident: str) -> list[Body]:
    """History and notes of a record, oldest first."""
    return [
        {
            "Changes": row["Changes"],
            "DateUTCString": f"{wire.moment(row['at']):%Y-%m-%dT%H:%M:%S}",
            "DateUTC": wire.ms(wire.moment(row["at"])),
            "User": row["User"],
            "Details": row["Details"],
        }
        for row in org.find("_history", "of", f"{kind}/{ident}")
    ]


def note(org: Organisation, record: Mapping[str, Any], element: Mapping[str, Any]) -> Body:
    """Add a note to the history. Raises ``Invalid`` for one that is empty or too long."""
    text = str(element.get("Details") or "")
    if not 0 < len(text) <= NOTE:
        raise Invalid([f"Details must have 1 to {NOTE} characters."])  # inferred
    org.history(record["kind"], record["id"], "Note", text)
    org.note(record["kind"], record["id"], "note")
    return {"Details": text}


def send(org: Organisation, record: Mapping[str, Any]) -> None:
    """Mail an approved sales invoice to its contact, into the sandbox's mailbox. Raises 400 for what cannot go."""
    entity = record["entity"]
    contact = org.record("Contact", entity["ContactID"])
    address = str(contact["entity"].get("EmailAddress", "")) if contact else ""
    problem = None
    if entity["Type"] != "ACCREC" or entity["Status"] not in ("SUBMITTED", "AUTHORISED", "PAID"):
        problem = "Invoice must be an ACCREC type and not have a status of DRAFT, DELETED or VOIDED"  # inferred
    elif not address:
        problem = "The contact of this invoice has no email address"  # inferred
    elif _sent_today(org) >= int(org.switch("mails_a_day")):
        problem = "The daily email limit has been reached"  # inferred
    if problem:
        raise CallRefused(400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": problem})
    number = entity.get("InvoiceNumber", "")
    mail(
        org.world,
        address,
        f"Invoice {number} from {org.settings['name']}",
        f"Your invoice of {entity['Date']}: {entity['CurrencyCode']} {entity['Total']}",
    )
    org.store.put(org.space, "_mailed", str(org.store.next_id(org.space, "mailed")), {"day": org.today()})
    org.history("Invoice", record["id"], "Emailed", f"This invoice has been sent to {address}")
    org.replace(record, {**entity, "SentToContact": True}, _keys(record), "send")


def _sent_today(org: Organisation) -> int:
    return sum(1 for row in org.store.all(org.space, "_mailed") if row["day"] == org.today())
