"""What the demo says while a run goes on."""

from __future__ import annotations

from tools.demo.scenes import progress_line


def test_progress_names_the_step_and_only_the_outcomes_there_are() -> None:
    status = {"state": "In process", "step": "QuickBooks limit, continues at 05:53:45", "complete": 1090,
              "processing": 0, "pending": 617, "faults": 177, "skipped": 140, "total": 2024}  # fmt: skip
    assert progress_line(status) == (
        "QuickBooks limit, continues at 05:53:45: 1,090 posted, 617 pending, 177 need a person, 140 skipped over."
    )


def test_progress_of_a_run_without_a_step_is_its_state() -> None:
    assert progress_line({"state": "Finished", "step": ""}) == "Finished."
