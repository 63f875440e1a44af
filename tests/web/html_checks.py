"""What must hold for every page: valid HTML, one h1, names for controls, unique ids, nothing inline, CSRF.

`problems(html)` lists what is wrong in words; an empty list means a good page. Fragments and mails have checks
of their own further down. Not here: contrast, focus and everything else that needs a browser.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from xml.etree.ElementTree import Element

import html5lib

CONTROLS = ("input", "select", "textarea")
UNNAMED_TYPES = {"hidden", "submit", "button"}
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "form")


def problems(html: str) -> list[str]:
    """Everything wrong with a whole page."""
    root, errors = parse(html)
    return [
        *errors,
        *_headings(root),
        *_ids(root),
        *_names(root),
        *_inline(root),
        *_forms(root),
        *_leaks(html),
    ]


def parse(html: str) -> tuple[Element, list[str]]:
    """The document tree and the parser's complaints."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parse(html)
    errors = [f"line {line}: {code} {data or ''}" for (line, _), code, data in parser.errors]
    return root, errors


def _headings(root: Element) -> Iterator[str]:
    count = len(list(root.iter("h1")))
    if count != 1:
        yield f"{count} h1 elements"
    if not (root.findtext("head/title") or "").strip():
        yield "no title"
    levels = [
        int(each.tag[1]) for each in root.iter() if isinstance(each.tag, str) and re.fullmatch("h[1-6]", each.tag)
    ]
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"h{after} follows h{before}"


def _ids(root: Element) -> Iterator[str]:
    ids = Counter(each.get("id") for each in root.iter() if each.get("id"))
    yield from (f"id {name} is there {n} times" for name, n in ids.items() if n > 1)
    for each in root.iter():
        for attribute in REFERENCES:
            for name in (each.get(attribute) or "").split():
                if name not in ids:
                    yield f"{attribute} points at {name}, which is not there"


def _names(root: Element) -> Iterator[str]:
    labelled = {each.get("for") for each in root.iter("label")}
    wrapped = {id(control) for label in root.iter("label") for tag in CONTROLS for control in label.iter(tag)}
    for tag in CONTROLS:
        for each in root.iter(tag):
            named = each.get("aria-label") or each.get("aria-labelledby") or each.get("id") in labelled
            if not (named or id(each) in wrapped or each.get("type") in UNNAMED_TYPES):
                yield f"{tag} {each.get('name')} has no label"
    for tag in ("a", "button", "summary"):
        for each in root.iter(tag):
            if not ("".join(each.itertext()).strip() or each.get("aria-label")):
                yield f"a {tag} has no words"
    for each in root.iter("table"):
        if each.find("caption") is None:
            yield "a table has no caption"


def _inline(root: Element) -> Iterator[str]:
    for each in root.iter():
        for name in each.attrib:
            if name == "style" or (isinstance(name, str) and name.startswith("on")):
                yield f"{each.tag} has {name}"
    for each in root.iter("script"):
        if not each.get("src") or not each.get("nonce"):
            yield "a script without address or nonce"
    if list(root.iter("style")):
        yield "a style element"


def _forms(root: Element) -> Iterator[str]:
    for each in root.iter("form"):
        names = {control.get("name") for control in each.iter("input")}
        if each.get("method") == "post" and "csrf_token" not in names:
            yield f"the form to {each.get('action')} has no CSRF token"


def _leaks(html: str) -> Iterator[str]:
    for sign in ("{{", "{%", "Undefined", "&amp;amp;", "&lt;span", "Decimal(", "datetime."):
        if sign in html:
            yield f"{sign} stands in the page"
