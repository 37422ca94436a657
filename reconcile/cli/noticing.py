"""`--notify`: the record of a run, posted when the run is over. The run's own end stands, whatever becomes of the notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconcile.cli.metering import Told
from reconcile.cli.notes import tell_notes
from reconcile.cli.wiring import Session, who
from reconcile.errors import Interrupted, ReconcileError

if TYPE_CHECKING:
    from reconcile.model.config import Notify
    from reconcile.views.run_record import Run


@dataclass(frozen=True, slots=True)
class Notice:
    """What is needed to tell of a run: where it takes place, the command's name, and the URL given for it, if one was."""

    session: Session
    command: str
    url: str | None

    def around(self, work: Callable[[Told], int]) -> Callable[[Told], int]:
        """The same work, told of in the end. A second signal ends it now, so then nothing is posted."""

        def run(told: Told) -> int:
            begun = self.session.clock.now()
            try:
                code = work(told)
            except Interrupted:
                raise
            except Exception as error:
                code = error.exit_code if isinstance(error, ReconcileError) else 1
                self._tell(told, begun, code, error)
                raise
            self._tell(told, begun, code, None)
            return code

        return run

    def _tell(self, told: Told, begun: int, code: int, error: Exception | None) -> None:
        try:
            notify = self._notify()
            if notify is None or told.declined:
                return
            run = self._run(told, begun, code, error)
            if notify.when == "always" or (code != 0 if notify.when == "failure" else run.did_something):
                self._post(notify, run)
        except (Exception, KeyboardInterrupt, SystemExit) as problem:
            words = problem.message if isinstance(problem, ReconcileError) else f"it failed ({type(problem).__name__})"
            tell_notes([f"the record of this run was not posted: {words}"], self.session.given)

    def _notify(self) -> Notify | None:
        """Where to, with its URL filled in: the one given wins; an empty one means nowhere."""
        from reconcile.model.config import Notify

        try:
            configured = self.session.config.notify
        except ReconcileError:  # then this is what the run failed of, and it has been told
            configured = None
        if self.url is not None:
            kept = configured.model_dump() if configured else {}
            return Notify.model_validate({**kept, "url": self.url}) if self.url else None
        return None if configured is None else configured.model_copy(update={"url": self._filled(configured.url)})

    def _filled(self, text: str) -> str:
        from reconcile.model.template import Reference, fill

        def looked_up(reference: Reference) -> str:
            if not self.session.environ.get(reference.name):
                raise ReconcileError(f"`notify` in the config needs the variable {reference.name}, which is not set")
            return self.session.environ[reference.name]

        return fill(text, looked_up)

    def _run(self, told: Told, begun: int, code: int, error: Exception | None) -> Run:
        from reconcile.views.run_record import Run

        account, document = told.account, told.document or {}
        return Run(
            command=self.command,
            stack=told.stack or document.get("stack") or self._configured_stack(),
            who=who(),
            begun=begun,
            ended=self.session.clock.now(),
            exit_code=code,
            plan_id=account.plan_id if account else None,
            serial=account.serial if account else None,
            planned=document.get("summary"),
            outcomes=account.outcomes if account else None,
            drift=told.drift,
            error=error,
        )

    def _configured_stack(self) -> str | None:
        try:
            return self.session.config.stack
        except ReconcileError:
            return None

    def _beside_config(self, name: str) -> Path:
        return self.session.given.chdir / Path(self.session.config.file or "").parent / name

    def _post(self, notify: Notify, run: Run) -> None:
        import asyncio

        from reconcile.targets.notice import post_notice
        from reconcile.views.run_record import run_record

        ca_file = notify.ca_file and str(self._beside_config(self._filled(notify.ca_file)))
        proxy = notify.proxy and self._filled(notify.proxy)
        sending = post_notice(
            notify.url,
            run_record(run),
            seconds=notify.timeout / 1000,
            environ=self.session.environ,
            secrets=self.session.sent_secrets(),
            ca_file=ca_file,
            proxy=proxy,
        )
        asyncio.run(sending)
