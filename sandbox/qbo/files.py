"""Attachments, the PDF of a document, and sending it by e-mail (into the sandbox's mailbox).

Source: Intuit, Attachable entity page. The sandbox keeps the files in its store.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sandbox import jsonio
from sandbox.papers import mail, one_page
from sandbox.qbo import transactions
from sandbox.qbo.entities import ENTITIES, Entity
from sandbox.qbo.errors import QboFault, fault, required, too_long
from sandbox.qbo.fields import check, clean
from sandbox.qbo.realm import Realm

TYPES = (
    "ai",
    "csv",
    "doc",
    "docx",
    "eps",
    "gif",
    "jpeg",
    "jpg",
    "ods",
    "pdf",
    "png",
    "rtf",
    "tif",
    "txt",
    "xls",
    "xlsx",
    "xml",
)
Body = dict[str, Any]


def write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> Body:
    """Create or update an attachable without a file: a note, or the links of a file."""
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    before = dict(old["entity"]) if old else {}
    draft = {name: value for name, value in {**before, **sent}.items() if value is not None}
    for link in draft.get("AttachableRef") or []:
        target = link.get("EntityRef") or {}
        if realm.record(str(target.get("type")), str(target.get("value"))) is None:
            raise fault("2500", f"{target.get('type')} element id {target.get('value')} not found", "AttachableRef")
    if old:
        return realm.replace(old, draft, {})
    if not draft.get("Note") and not draft.get("FileName"):
        raise required("Note")
    return realm.insert("Attachable", draft, realm.new_id("Attachable"), {})


def delete(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Remove an attachment; a tombstone stays."""
    return realm.replace(old, old["entity"], {}, "delete", state="deleted")


def upload(realm: Realm, content_type: str, body: bytes) -> list[Body]:
    """Store every file of a multipart request; one ``Attachable`` or ``Fault`` for each."""
    parts = _parts(content_type, body)
    numbers = sorted(name.rsplit("_", 1)[-1] for name in parts if name.startswith("file_content_"))
    if not numbers:
        raise required("file_content_01")
    return [_store(realm, parts.get(f"file_metadata_{number}"), parts[f"file_content_{number}"]) for number in numbers]


def _parts(content_type: str, body: bytes) -> dict[str, tuple[dict[str, str], bytes]]:
    """Name -> (headers, content). Takes LF line ends and a blank line in front, which one client library sends."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.startswith("multipart/form-data") or found is None:
        raise fault("500", f"Content type {content_type or 'none'} is not supported for upload.")
    parts: dict[str, tuple[dict[str, str], bytes]] = {}
    for chunk in re.split(rb"(?:\r?\n|^)--" + re.escape(found.group(1).encode()), body):
        head, separator, content = re.sub(rb"^\r?\n", b"", chunk).replace(b"\r\n", b"\n").partition(b"\n\n")
        if not separator:
            continue
        if b"\r\n\r\n" in chunk:
            content = chunk.partition(b"\r\n\r\n")[2]
        lines = [line.partition(":") for line in head.decode("utf-8", "replace").splitlines()]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        name = re.search(r'name="([^"]+)"', headers.get("content-disposition", ""))
        if name:
            parts[name.group(1)] = (headers, content)
    return parts


def _store(realm: Realm, metadata: tuple[dict[str, str], bytes] | None, part: tuple[dict[str, str], bytes]) -> Body:
    try:
        with realm.store.transaction():
            return {"Attachable": _kept(realm, metadata, part)}
    except QboFault as problem:
        return {"Fault": problem.as_json()}


def _kept(realm: Realm, metadata: tuple[dict[str, str], bytes] | None, part: tuple[dict[str, str], bytes]) -> Body:
    headers, content = part
    if headers.get("content-transfer-encoding", "").lower() == "base64":
        try:
            content = base64.b64decode(re.sub(rb"\s", b"", content), validate=True)
        except binascii.Error:
            raise fault("2060", "The file is not base64", "file_content") from None
    described = jsonio.loads(metadata[1]) if metadata else {}
    given = re.search(r'filename="([^"]+)"', headers.get("content-disposition", ""))
    name = str(described.get("FileName") or (given.group(1) if given else ""))
    if not name:
        raise required("FileName")
    if len(name) > 1000:
        raise too_long("FileName", 1000, len(name))
    if name.rsplit(".", 1)[-1].lower() not in TYPES:
        raise fault("6041", f"The file type of {name} is not supported", "FileName")
    body = {**described, "FileName": name, "ContentType": described.get("ContentType") or headers.get("content-type")}
    record = write(realm, ENTITIES["attachable"], body, None, ())
    ident = record["id"]
    uri = f"/v3/company/{realm.id}/download/{ident}"
    stored = {
        **record["entity"],
        "Size": len(content),
        "FileAccessUri": uri,
        "TempDownloadUri": f"{realm.world.public_url}/qbo{uri}",
    }
    realm.store.put(realm.space, "_file", ident, {"content": base64.b64encode(content).decode()}, {})
    realm.store.put(realm.space, "Attachable", ident, {**record, "entity": stored}, {})
    return realm.present({**record, "entity": stored})


def content(realm: Realm, ident: str) -> bytes:
    """The bytes of a stored file. Raises ``QboFault`` 610 when there is none."""
    found = realm.store.get(realm.space, "_file", ident)
    if found is None:
        raise fault("610", f"Attachable {ident}")
    return base64.b64decode(found["content"])


def send(realm: Realm, record: Mapping[str, Any], to: str | None) -> Body:
    """Mark a document as mailed: to the address given, else to its billing address. SyncToken goes up."""
    entity = dict(record["entity"])
    if to:
        entity["BillEmail"] = check("sendTo", to, ENTITIES["invoice"].fields["BillEmail"], realm.rules)
    if not entity.get("BillEmail"):
        raise required("BillEmail")
    if realm.switch("mail_state_shown"):
        entity["EmailStatus"] = "EmailSent"
        entity["DeliveryInfo"] = {"DeliveryType": "Email", "DeliveryTime": realm.stamp(realm.now().timestamp())}
    _deliver(realm, record["kind"], entity)
    keys = transactions.number_key(entity.get("DocNumber")) | {"customer": entity["CustomerRef"]["value"]}
    return realm.present(realm.replace(record, entity, keys, "send"))


def _deliver(realm: Realm, kind: str, entity: Mapping[str, Any]) -> None:
    """The customer's mail goes into the sandbox's mailbox, from the books: that is what was really sent."""
    subject = f"{kind} {entity.get('DocNumber') or entity['Id']} from {realm.settings['name']}"
    text = f"Your document of {entity['TxnDate']}: {entity['CurrencyRef']['value']} {entity['TotalAmt']}"
    mail(realm.world, str(entity["BillEmail"]["Address"]), subject, text)


def pdf(realm: Realm, record: Mapping[str, Any]) -> bytes:
    """A one-page PDF with the document's head, lines and total. No library: the format's bare minimum."""
    entity = record["entity"]
    lines = [
        realm.settings["name"],
        f"{record['kind']} {entity.get('DocNumber') or record['id']}",
        f"{(entity.get('CustomerRef') or entity['VendorRef'])['name']}   {entity['TxnDate']}",
        "",
    ]
    for line in entity["Line"][:40]:
        words = str(line.get("Description") or line["DetailType"])[:70]
        lines.append(f"{words}   {Decimal(str(line.get('Amount', 0)))}")
    lines.append(f"Total {entity['CurrencyRef']['value']} {entity['TotalAmt']}")
    return one_page(lines)
