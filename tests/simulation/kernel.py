"""The simulated machine: virtual time, tasks of which exactly one runs, processes that die or freeze, timers.

A task is a greenlet: it runs until it reaches a yield point (a commit, a call, a pause, a ring), where one seeded
random source decides who goes on, who dies and who freezes. Equal seeds give equal histories. What the tasks do
is not known here.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process dies here, as under `kill -9`: nothing after this point happens."""


class TooLong(AssertionError):
    """The simulation made no end within its bounds."""


@dataclass(eq=False)
class Process:
    """One operating-system process. `mortal` ones may be killed and frozen."""

    name: str
    mortal: bool = True
    dead: bool = False
    frozen_until: float = 0.0
    life: int = 0
    """How often it was started again."""
    failed: int = 0
    """How many of its jobs ended in an error: each is a process of its own, which waits for no answer then."""
    skew_s: float = 0.0
    """How far its clock is off."""
    hands: int = 0
    """Documents of which a call is running, other than calls that write to the ledger."""
    tasks: list[Task] = field(default_factory=list)
    on_death: Callable[[], None] | None = None

    @property
    def prefix(self) -> str:
        """What the names of its workers begin with."""
        return f"{self.name}.{self.life}.{self.failed}:"


@dataclass(eq=False)
class Task:
    process: Process
    name: str
    glet: Any = None
    wake_at: float = 0.0
    open_sessions: int = 0
    ended: bool = False
    """The job that it worked for is over."""
    error: BaseException | None = None

    @property
    def ready_at(self) -> float:
        return max(self.wake_at, self.process.frozen_until)


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    at: float
    who: str
    what: str
    company: int | None = None

    def __str__(self) -> str:
        return f"{self.at:9.2f}s  {self.who:<22} {self.what}"


@dataclass
class Kernel:
    rng: random.Random
    fate: Callable[[Process, str], str | float | None] = lambda process, label: None
    """Asked at each yield point of a mortal process: "crash", seconds to freeze, or None."""
    now_s: float = 0.0
    steps: int = 0
    commits: int = 0
    """Transactions that ended: nothing in the database changes but by one."""
    tasks: list[Task] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    after_step: Callable[[], None] = lambda: None
    _timers: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _timer_no: int = 0
    _hub: Any = field(default_factory=getcurrent)
    _current: Task | None = None
    _dead: list[Process] = field(default_factory=list)
    _ended: list[Task] = field(default_factory=list)

    # ---- the clock (what `sync` is given) -------------------------------------------------------------------

    def now(self) -> datetime:
        return START + timedelta(seconds=self.now_s)

    def monotonic(self) -> float:
        return self.now_s

    # ---- what tasks call ------------------------------------------------------------------------------------

    @property
    def running(self) -> Task | None:
        """None while none of the tasks runs."""
        return self._current

    @property
    def current(self) -> Task:
        assert self._current is not None, "only tasks may ask"
        return self._current

    @contextmanager
    def holding(self, documents: int) -> Iterator[None]:
        """While the block runs, the task's process has a step of so many documents in hand."""
        process = self.current.process
        process.hands += documents
        try:
            yield
        finally:
            process.hands -= documents

    def note(self, what: str, company: int | None = None, who: str | None = None) -> None:
        name = who or (self._current.name if self._current else "world")
        self.events.append(Event(self.now_s, name, what, company))

    def step(self, label: str) -> None:
        """A yield point: somebody else may run, and this process may die or freeze here."""
        self.sleep(0.0, label)

    def sleep(self, seconds: float, label: str = "") -> None:
        task = self.current
        if task.process.dead or task.ended:
            return  # Unwinding: nothing is yielded any more.
        assert task.open_sessions == 0, f"{task.name} waits ({label}) while a transaction is open"
        if task.process.mortal:
            self._draw_fate(task, label)
        task.wake_at = self.now_s + seconds
        self._hub.switch()

    def may_die(self, label: str) -> None:
        """A point inside a transaction: the process may die, but nobody else runs."""
        task = self.current
        if task.process.mortal and not task.process.dead and self.fate(task.process, label) == "crash":
            self.kill(task.process, label)
            raise Killed(label)

    def _draw_fate(self, task: Task, label: str) -> None:
        fate = self.fate(task.process, label)
        if fate == "crash":
            self.kill(task.process, label)
            raise Killed(label)
        if isinstance(fate, float):
            task.process.frozen_until = self.now_s + fate
            self.note(f"FROZEN for {fate:.0f} s at {label}")

    # ---- processes and tasks --------------------------------------------------------------------------------

    def spawn(self, process: Process, name: str, run: Callable[[], None], *, after: float = 0.0) -> Task:
        task = Task(process, name, wake_at=self.now_s + after)

        def body() -> None:
            try:
                run()
            except Killed:
                return  # The death was noted where it was decided.
            except BaseException as error:
                task.error = error
                raise

        task.glet = greenlet(body, parent=self._hub)
        process.tasks.append(task)
        self.tasks.append(task)
        return task

    def kill(self, process: Process, label: str) -> None:
        """The process is dead from now on; its tasks are unwound by the loop."""
        process.dead = True
        self._dead.append(process)
        self.note(f"KILLED at {label}")

    def end_others(self) -> None:
        """A job of the current task failed: what runs beside it in its process ends before anything else happens."""
        task = self.current
        others = [other for other in task.process.tasks if other is not task]
        for other in others:
            other.ended = True
        self._ended += others
        task.process.failed += 1

    def wake(self, task: Task) -> None:
        task.wake_at = min(task.wake_at, self.now_s)

    def at(self, seconds: float, what: Callable[[], None]) -> None:
        """Something that happens outside all processes, e.g. bytes that arrive."""
        self._timer_no += 1
        heapq.heappush(self._timers, (self.now_s + seconds, self._timer_no, what))

    @property
    def on_their_way(self) -> int:
        return len(self._timers)

    # ---- the loop -------------------------------------------------------------------------------------------

    def run(self, until: Callable[[], bool], *, limit_s: float, limit_steps: int = 200_000) -> bool:
        """Run until the condition holds (asked between steps). False when `limit_s` virtual seconds passed first."""
        end = self.now_s + limit_s
        while not until():
            if self.now_s > end:
                return False
            self.steps += 1
            if self.steps > limit_steps:
                raise TooLong(f"no end after {limit_steps} steps at {self.now_s:.0f} s")
            self._one(end)
            self.after_step()
        return True

    def _one(self, end: float) -> None:
        self._bury()
        now = self.now_s
        ready = [task for task in self.tasks if task.wake_at <= now and task.process.frozen_until <= now]
        due = bool(self._timers) and self._timers[0][0] <= self.now_s
        if due and (not ready or self.rng.random() < 0.5):
            heapq.heappop(self._timers)[2]()
            return
        if not ready:
            self._advance(end)
            return
        self._switch(self.rng.choice(ready) if len(ready) > 1 else ready[0])

    def _advance(self, end: float) -> None:
        moments = [task.ready_at for task in self.tasks]
        if self._timers:
            moments.append(self._timers[0][0])
        self.now_s = max(self.now_s, min(moments)) if moments else end + 1

    def _switch(self, task: Task) -> None:
        self._current = task
        try:
            task.glet.switch()
        except Exception as error:  # noqa: BLE001 - an error nobody caught is a finding, whatever it is
            self._report(task, error)
        finally:
            self._current = None
        if task.glet.dead:
            self._gone(task)

    def _report(self, task: Task, error: BaseException) -> None:
        self.note(f"ERROR {type(error).__name__}: {error}")
        self.failures.append(f"{task.name}: {type(error).__name__}: {error}")

    def _bury(self) -> None:
        """Unwind what is left of ended tasks and dead processes, and let their supervisors know."""
        while self._ended:
            self._unwind(self._ended.pop())
        while self._dead:
            process = self._dead.pop()
            for task in list(process.tasks):
                self._unwind(task)
            if process.on_death is not None:
                process.on_death()

    def _unwind(self, task: Task) -> None:
        self._current = task
        with suppress(Killed):  # It had not begun yet.
            task.glet.throw(Killed)
        self._current = None
        self._gone(task)

    def _gone(self, task: Task) -> None:
        if task in self.tasks:
            self.tasks.remove(task)
        if task in task.process.tasks:
            task.process.tasks.remove(task)

    def trace_hash(self) -> str:
        return hashlib.sha256("\n".join(map(str, self.events)).encode()).hexdigest()
