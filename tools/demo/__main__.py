"""`make demo`: start everything, walk the product as a person would, and let the sandbox judge the books.

Without --once the site is left running with three companies: two generated ones, in QuickBooks and in Xero, waiting
for their first posting, and the real month in its books. With --once the last line is the judge's JSON and the exit
code its verdict.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from tools.demo.sandbox_api import SandboxApi, SandboxError
from tools.demo.scenes import Scenes
from tools.demo.stage import Stage, StageError, choose_folder, choose_ports, set_up
from tools.demo.verdict import again, failures, summary
from tools.demo.walker import WalkError
from tools.environment import ROOT
from tools.waiting import WaitedTooLong

SHARED_MONTH = ROOT.parent / "shared" / "data" / "online-retail"


def main() -> int:
    args = arguments()
    folder = choose_folder(once=args.once)
    done = folder / "ready"
    try:
        ports = choose_ports(args.port, any_free=args.once)
        if folder.exists() and not done.exists():
            # A first start that was interrupted half-way: begin again rather than show half a world.
            shutil.rmtree(folder)
        say("Starting the sandbox, the site, two workers and the scheduler …")
        with set_up(folder, ports, limits=args.limits) as stage:
            say(f"Bookbridge   {stage.ports.web_url}")
            say(f"Sandbox      {stage.ports.sandbox_url}   (simulated QuickBooks, Autotask and mailbox)")
            api = control(stage, args)
            if args.once:
                return count_once(stage, api, args)
            if not done.exists():
                prepare(stage, api, args)
                done.touch()
            stay(stage)
    except (StageError, SandboxError, WalkError, WaitedTooLong) as error:
        print(f"demo: {error}", file=sys.stderr)
        print(f"demo: the processes' output is in {folder / 'processes.log'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="count the month in a fresh world, then exit")
    parser.add_argument("--fix", action="store_true", help="choose a customer for the invoices without one, and retry")
    parser.add_argument("--ledger", choices=["quickbooks", "xero"], default="quickbooks", help="where the month goes")
    parser.add_argument("--again", action="store_true", help="load the month a second time under new numbers")
    parser.add_argument("--data", type=Path, help="folder of .csv or .csv.gz files in the Online Retail format")
    parser.add_argument("--limits", choices=["on", "off"], default="on", help="the platforms' rate limits")
    parser.add_argument("--latency", choices=["off", "model"], default="off", help="added answer times")
    parser.add_argument("--port", type=int, default=8300, help="the site's port; the sandbox takes PORT+100")
    args = parser.parse_args()
    if args.data is None and SHARED_MONTH.is_dir():
        args.data = SHARED_MONTH
    return args


def count_once(stage: Stage, api: SandboxApi, args: argparse.Namespace) -> int:
    """Sync the real invoices in this fresh world; print the judge's account as the last line."""
    scenes = Scenes(stage, api, say)
    account, counts = scenes.real_month(args.data, ledger=args.ledger, fix=args.fix)
    for line in summary(account):
        say(line)
    problems = failures(account, counts, fixed=args.fix)
    if args.again:
        account["again"], wrong = again(account, scenes.month_again(args.data), counts)
        say("Loaded again under new numbers: {ledger_calls:,} ledger calls for {documents:,} documents.".format(
            **account["again"]))
        problems += wrong
    for problem in problems:
        print(f"demo: {problem}", file=sys.stderr)
    sys.stderr.flush()
    print(json.dumps(account), flush=True)
    return 1 if problems else 0


def prepare(stage: Stage, api: SandboxApi, args: argparse.Namespace) -> None:
    """Make the world to play in."""
    scenes = Scenes(stage, api, say)
    scenes.waiting_msp()
    scenes.waiting_xero()
    account, _ = scenes.real_month(args.data, ledger=args.ledger)
    for line in summary(account):
        say(line)
    say(json.dumps(account))


def control(stage: Stage, args: argparse.Namespace) -> SandboxApi:
    """The sandbox's control interface, with limits and latency as asked for on this start."""
    api = SandboxApi(stage.ports.sandbox_url)
    api.post("limits", on=args.limits == "on")
    api.post("latency", mode=args.latency)
    return api


def stay(stage: Stage) -> None:
    """Leave the site running until somebody presses Ctrl-C or a process ends."""
    web, sandbox = stage.ports.web_url, stage.ports.sandbox_url
    say("")
    say(f"Look around   {web}/demo/sign-in   one press signs in as admin, staff or viewer")
    say(f"My Apps       {sandbox}/intuit/myapps   launch and disconnect as QuickBooks shows them")
    say(f"Connected apps {sandbox}/xero-go   the same as Xero shows them")
    say(f"Mailbox       {sandbox}/mailbox/   the reports that were mailed")
    say("The site is running. Ctrl-C stops it; `make demo` brings it back as it was.")
    try:
        stage.wait()
    except KeyboardInterrupt:
        say("\nStopping: what is in flight is settled first.")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
