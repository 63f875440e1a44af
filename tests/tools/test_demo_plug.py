"""Pull the plug, as the demo's tour has it: a real worker dies with its call open; the simulated books are counted.

With times divided by ten, so that the dead process's lease runs out within seconds.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from app import create_app
from models import Company
from sync.requests import open_run
from tests.crash.story import Story
from tests.infra.company import sync_in_process
from tests.infra.processes import Processes
from tests.web.site import BASE, Site, TestClock
from tools.demo import plug, web
from tools.demo.pages import read

pytestmark = [pytest.mark.timeout(300), pytest.mark.process]


@pytest.fixture
def story(sandbox: str, sandbox_world: Any, processes: Processes, redis_url: str, migrated_sqlite_url: str) -> Story:
    """A company whose month is in the books, in a demo whose workers run."""
    told = Story.begin(
        sandbox, sandbox_world, processes, invoices=6, database_url=migrated_sqlite_url, redis_url=redis_url, demo=True,
        public_url=BASE,
    )  # fmt: skip
    sync_in_process(told.services, told.company_id)
    return told


def application(story: Story) -> Flask:
    made = web.create_app(story.services.config, story.services)
    made.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    made.extensions["limits"].enabled = False
    return made


def test_the_plug_is_pulled_and_the_books_hold_every_invoice_once(story: Story) -> None:
    app = application(story)
    client, address = app.test_client(), f"/c/{story.company_id}/demo/plug"
    Site(app, story.services, TestClock(story.services.now())).sign_in(client, 1)
    assert f'href="{address}"' in client.get(f"/c/{story.company_id}/", base_url=BASE).get_data(as_text=True)
    story.start("worker", "second", "scheduler")
    form = next(form for form in read(client.get(address, base_url=BASE).text).forms if form.action == address)
    fields = {each.name: each.value for each in form.controls}
    began = client.post(address, data=fields, base_url=BASE)
    assert began.status_code == 302 and "?run=" in began.location

    def page() -> str:
        return " ".join(read(client.get(began.location, base_url=BASE).text).text.split())

    story.wait(lambda: "was ended with kill -9" in page(), "the plug was pulled")
    told = re.search(r"Process (\d+) was ended with kill -9 while its call with (\d+) invoices was open", page())
    assert told is not None and int(told.group(2)) == plug.INVOICES
    story.wait(lambda: "The run is finished" in page() and f"All {plug.INVOICES} stand in the books once" in page(),
               "the page tells of the recovery")  # fmt: skip
    assert f"{plug.INVOICES} invoices were found in QuickBooks by looking, and not sent again" in page()
    assert re.search(rf"There once {plug.INVOICES} of {plug.INVOICES} There twice 0 Not there yet 0", page())
    assert "hx-get" not in client.get(began.location, base_url=BASE).get_data(as_text=True), "it waits for nothing more"
    story.once_each()
    with story.services.sessions() as db:
        assert open_run(db, story.company_id) is None


def test_nobody_but_the_demo_has_it(story: Story) -> None:
    plain = create_app(story.services.config, story.services)
    assert not [rule for rule in plain.url_map.iter_rules() if "plug" in rule.endpoint]
    with story.services.sessions() as db:
        company = db.get_one(Company, story.company_id)
        assert company.first_posted_at is not None
    config = story.services.config.model_copy(update={"demo": False})
    with pytest.raises(ValueError, match="DEMO"):
        web.create_app(config)
