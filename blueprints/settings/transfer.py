"""Settings as a file: export with the names behind ids, import that checks every value before anything is kept."""

from __future__ import annotations

import json

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField, FileRequired

from blueprints.context import db, now
from blueprints.forms import Form
from blueprints.problems import Problem
from blueprints.settings import settings_file
from blueprints.settings.fields import as_sent, check, values
from blueprints.settings.history import version_of
from blueprints.settings.invoices import page, scene_now, what_would_change
from blueprints.settings.lists import mirror_ready
from blueprints.settings.routes import blueprint
from blueprints.settings.words import label
from sync import settings


class ImportForm(Form):
    file = FileField("Settings file", [FileRequired("Choose the file that was exported.")])


@blueprint.get("/c/<int:company_id>/settings/export")
def export(company_id: int) -> ResponseReturnValue:
    """The settings that hold now, or one version of them, as JSON. Ids come with their names."""
    number = request.args.get("version")
    row = version_of(number) if number else settings.newest(db(), company_id)
    if row is None:
        raise Problem(404, "404")
    text = json.dumps(settings_file.written(row, scene_now(), now()), indent=2, ensure_ascii=False)
    name = f"bookbridge-settings-{row.version}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text + "\n", mimetype="application/json", headers=headers)


@blueprint.get("/c/<int:company_id>/settings/import")
def import_page(company_id: int) -> ResponseReturnValue:
    return _import_page(ImportForm(formdata=None)), 200


@blueprint.post("/c/<int:company_id>/settings/import")
def import_file(company_id: int) -> ResponseReturnValue:
    """Read a file. Right in everything: kept as wanted settings with the difference shown, and nothing saved.
    Wrong in something: the settings page with the file's answers and an error at each field concerned."""
    form = ImportForm()
    if not form.validate():
        return _import_page(form), 422
    scene = scene_now()
    try:
        read = settings_file.read(form.file.data.read(), scene)
    except settings_file.NotASettingsFile as problem:
        form.file.errors = [str(problem)]
        return _import_page(form), 422
    if read.unknown:
        flash(f"Not known here, left out: {', '.join(label(name) for name in read.unknown)}.", "warn")
    if read.other_company:
        flash(f"This file comes from another company, {read.other_company}. Look at every account and code.", "warn")
    answers = as_sent(read.wanted, scene)
    valid = check(answers, scene, lists_ready=mirror_ready(company_id))
    for name, text in read.problems.items():
        if name in answers:
            answers[name].errors = [text, *answers[name].errors]
        else:
            answers.form_errors.append(f"{label(name)}: {text}")
    if not valid or read.problems:
        return page(answers, scene, None), 422
    return what_would_change(company_id, values(answers, read.wanted))


def _import_page(form: ImportForm) -> str:
    return render_template("settings/import.html", form=form, cancel_url=url_for("settings.invoices"))
