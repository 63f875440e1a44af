"""The sections of Settings, Invoices in the order of the page. A new section is one line here."""

from __future__ import annotations

from blueprints.settings.section import Section
from blueprints.settings.sections.contents import Contents
from blueprints.settings.sections.currency import Currency
from blueprints.settings.sections.dates import Dates
from blueprints.settings.sections.delivery import Delivery
from blueprints.settings.sections.finding import Finding
from blueprints.settings.sections.line_map import LineMap
from blueprints.settings.sections.lines import Lines
from blueprints.settings.sections.mails import Mails
from blueprints.settings.sections.memo import Memo
from blueprints.settings.sections.names import Names
from blueprints.settings.sections.no_company import NoCompany
from blueprints.settings.sections.numbers import Numbers
from blueprints.settings.sections.recipients import Recipients
from blueprints.settings.sections.rounding import Rounding
from blueprints.settings.sections.stages import CheckStages
from blueprints.settings.sections.start import Start
from blueprints.settings.sections.status import InitialStatuses
from blueprints.settings.sections.sub_companies import SubCompanies
from blueprints.settings.sections.sync_state import SyncStates
from blueprints.settings.sections.tax import Tax
from blueprints.settings.sections.themes import Themes
from blueprints.settings.sections.todos import Todos
from blueprints.settings.sections.tracking import Tracking
from blueprints.settings.sections.voids import Voids
from blueprints.settings.sections.zones import Zones

FIRST = SyncStates()
"""The switch above the questions."""
QUESTIONS: tuple[Section, ...] = (
    Start(),
    Numbers(),
    Lines(),
    Tax(),
    Recipients(),
)
"""The five questions, numbered on the page."""
MORE: tuple[Section, ...] = (
    Finding(),
    Dates(),
    Contents(),
    InitialStatuses(),
    Themes(),
    CheckStages(),
    Memo(),
    LineMap(),
    Tracking(),
    Names(),
    NoCompany(),
    SubCompanies(),
    Rounding(),
    Voids(),
    Currency(),
    Delivery(),
    Mails(),
    Todos(),
    Zones(),
)
"""More settings, each folded."""
SECTIONS: tuple[Section, ...] = (FIRST, *QUESTIONS, *MORE)
