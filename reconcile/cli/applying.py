"""One apply, from the command line's wishes to the exit code: wires engine, observer, approval and signals together."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconcile import engine
from reconcile.cli.approval import ask
from reconcile.cli.given import Given
from reconcile.cli.halting import Halt, run_halting
from reconcile.cli.observers import observer_of
from reconcile.cli.plan_files import read_plan
from reconcile.cli.reports import STDOUT
from reconcile.cli.shaping import refuse_unknown_targets
from reconcile.cli.streams import answer, style_of, tell, width_of
from reconcile.cli.wiring import Session, who
from reconcile.cli.wishes import Wishes
from reconcile.errors import ReconcileError
from reconcile.views import apply_json
from reconcile.views.apply_text import render_account
from reconcile.views.inert import inert
from reconcile.views.plan_text import render_plan, shell_word

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from reconcile.applier import Account
    from reconcile.cli.metering import Told
    from reconcile.model.plan import Plan
    from reconcile.planner import PlanOptions


class Applier:
    """Shows the plan, asks, tells what happens, and gives the closing account, as text or as JSON lines."""

    def __init__(self, given: Given, wishes: Wishes, *, asks: bool) -> None:
        self.given, self.wishes, self.asks, self.as_json = given, wishes, asks, wishes.as_json
        self.session = Session(given)
        self.declined = False
        self.planfile: Path | None = None
        self.document: Mapping[str, Any] | None = None
        self.answer = tell if wishes.metrics == STDOUT else answer
        self.observer, self.closing = observer_of(given, as_json=self.as_json)
        self.style, self.width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)

    def run(self, planfile: Path | None, options: PlanOptions, told: Told) -> int:
        """Apply, and return the exit code."""
        self.planfile = planfile
        if self.as_json:
            answer(apply_json.version_line())
        try:
            expect = None if planfile is None else read_plan(self.given.path(planfile))
            with self.closing:
                account = run_halting(lambda halt: self._apply(halt, options, expect))
        except Exception as error:
            self._failed(error)
            raise
        finally:
            told.document, told.declined = self.document, self.declined
        told.account = account
        return self._account(account)

    async def _apply(self, halt: Halt, options: PlanOptions, expect: dict[str, object] | None) -> Account:
        session = self.session
        if expect is None:
            refuse_unknown_targets(options.on, session.config)
        how = engine.Applying(
            options=options,
            environ=session.environ,
            who=who(),
            command=self.wishes.command,
            lock_timeout=self.wishes.lock_timeout,
            wait=self.wishes.wait,
            expect=expect,
            approve=self._approve,
            salt=lambda: secrets.token_hex(8),
            halted=halt,
        )
        desired, store, config = session.desired, session.store, session.config
        async with session.targets(self._log) as targets:
            return await engine.apply(desired, store, config, targets, session.clock, self.observer, how)

    def _log(self, text: str) -> None:
        if self.given.verbose:
            self.observer.told(text)

    def _approve(self, plan: Plan) -> bool:
        self._show(plan)
        if not self.asks or all(change.action == "defer" for change in plan.changes):
            return True
        self.declined = not ask(
            f"Do this on stack {plan.stack}?" if not plan.destroy else f"Clear all of this on stack {plan.stack}?"
        )
        return not self.declined

    def _show(self, plan: Plan) -> None:
        self.document = {"stack": plan.stack, "summary": plan.summary()}
        if self.as_json:
            for line in apply_json.change_lines(plan):
                answer(line)
        else:
            self.answer(render_plan(plan, style=self.style, width=self.width))

    def _failed(self, error: Exception) -> None:
        """What stdout says of an error: the plan that was refused, and always the last line of JSON."""
        if isinstance(error, engine.ViolationsFound):
            self._show(error.plan)
        if self.as_json:
            known = error if isinstance(error, ReconcileError) else ReconcileError(f"{type(error).__name__}: {error}")
            answer(apply_json.error_line(known) + apply_json.summary_line(exit_code=known.exit_code, counts={}))

    def _account(self, account: Account) -> int:
        code = 1 if self.declined else account.exit_code
        if self.as_json:
            answer(apply_json.summary_line(exit_code=code, counts=account.counts(), serial=account.serial))
        elif self.declined:
            tell("Not applied.\n")
        elif account.outcomes:
            text = render_account(account.outcomes, exit_code=code, serial=account.serial, style=self.style, width=self.width)
            self.answer("\n" + text)
            self._go_on(account, code)
        return code

    def _go_on(self, account: Account, code: int) -> None:
        """After a partial failure of what was reviewed: the same file runs what is left."""
        failed = any(progress.outcome == "failed" for progress in account.outcomes)
        if self.planfile is not None and failed and code in (1, 3) and not self.given.quiet:
            tell(f"What is left of the same plan:  reconcile apply {inert(shell_word(str(self.planfile)))}\n")
