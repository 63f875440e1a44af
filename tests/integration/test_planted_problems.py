"""A real day with planted problems: bench.problems, with a few causes of every subject."""

from __future__ import annotations

from bench import problems
from bench.planting import CAUSES
from sandbox.world import World

A_FEW = (
    "number_repeats", "number_taken", "no_billing_code", "item_inactive", "account_inactive", "prepaid_account",
    "rounding_account_missing", "closed_period", "customer_similar", "customer_twice_in_source", "tax_region_renamed",
)  # fmt: skip


def test_each_is_told_under_its_cause_and_posted_once_after_its_fix(
    migrated_sqlite_url: str, sandbox: str, sandbox_world: World, redis_url: str, smtp_port: int
) -> None:
    sandbox_world.limits.switch(False)
    services = problems.services_for(sandbox, migrated_sqlite_url, redis_url, smtp_port)
    found = problems.run(services, sandbox_world, problems.ONE_DAY, len(A_FEW), A_FEW)
    assert found["problems"] == []
    assert {cause: number for cause, number in found["faults"].items() if cause != "no_customer"} == dict.fromkeys(
        A_FEW, 1
    )
    assert (found["duplicates"], found["missing"], found["planted"]) == (0, 0, len(A_FEW))


def test_the_campaign_has_at_least_twenty_five_causes() -> None:
    assert len(CAUSES) >= 25
