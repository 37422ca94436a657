"""S3: the state as an object, guarded by conditional writes; a probe refuses stores that do not heed conditions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from reconcile.errors import ReconcileError
from reconcile.state.lock import Holder
from reconcile.state.options import S3Options, resolved
from reconcile.state.place import Change, Doubt, Held, Place, Stored

UNMET = (412, 404, 409)  # somebody was there before, or is at it right now


def s3_place(given: Mapping[str, Any], environ: Mapping[str, str]) -> Place:
    """The place that `state: {backend: s3, …}` names."""
    options = resolved(S3Options, given, environ)
    client, probed = cache(lambda: _client(options)), list[bool]()
    return Place(_where(options), lambda: S3Backend(options, client(), probed))


def _where(options: S3Options) -> str:
    """For people, and to tell one store's bucket from another's of the same name."""
    at = f" at {options.endpoint}" if options.endpoint else ""
    return f"s3://{options.bucket}/{options.key}{at}"


class S3Backend:
    """Fulfils Backend. The client is shared by all of a run; `probed` is filled once the store was seen to heed conditions."""

    def __init__(self, options: S3Options, client: Any, probed: list[bool]) -> None:
        self.where = _where(options)
        self._options = options
        self._probed = probed
        self._client = client
        self._lock_key = f"{options.key}.lock"
        self._lock_tag: str | None = None
        self._sealed: dict[str, str] = {}
        if options.encrypt:
            self._sealed["ServerSideEncryption"] = "aws:kms" if options.kms_key_id else "AES256"
            if options.kms_key_id:
                self._sealed["SSEKMSKeyId"] = options.kms_key_id

    def lock(self, us: Holder) -> None:
        """Create the lock object if there is none. One that bears our id is ours: its answer was lost."""
        self._probe()
        try:
            self._lock_tag = self._put(self._lock_key, us.model_dump_json().encode(), IfNoneMatch="*")
        except Unmet:
            there = self._get(self._lock_key)
            if there is None:
                raise Doubt("the lock went away while we looked") from None
            holder = _holder(there.content)
            if holder is None or holder.id != us.id:
                raise Held(holder) from None
            self._lock_tag = there.tag

    def unlock(self, lock_id: str) -> None:
        """Remove the lock object with this id, and no other."""
        there = self._get(self._lock_key)
        if there is None:
            return
        holder = _holder(there.content)
        if holder is not None and holder.id != lock_id:
            raise ReconcileError(f"the lock is another one: {holder}", where=self.where)
        try:
            self._call(self._client.delete_object, Key=self._lock_key, IfMatch=there.tag)
        except Unmet:
            raise Doubt("the lock changed while we removed it") from None
        except Unheeded:  # conditions on writes, but none on deletions: we have just seen that it is this lock
            self._call(self._client.delete_object, Key=self._lock_key)

    def load(self) -> Stored | None:
        """The object."""
        return self._get(self._options.key)

    def save(self, change: Change) -> Stored:
        """Look whether the lock is still ours, then write over that very version."""
        self._refuse_without_lock()
        content, over = change.content, change.over
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over.tag}
        try:
            return Stored(content, self._put(self._options.key, content, **condition, ContentType="application/json"))
        except Unmet:
            raise Doubt("another version is there") from None

    def close(self) -> None:
        """The client keeps its connections for the next one."""

    def _refuse_without_lock(self) -> None:
        try:
            tag = self._call(self._client.head_object, Key=self._lock_key)["ETag"]
        except Unmet:
            tag = None
        if tag is None or tag != self._lock_tag:
            raise ReconcileError("the lock is no longer ours", where=self.where, hint="somebody broke it; nothing was written")

    def _probe(self) -> None:
        """See that the store refuses what it must, once: some ignore conditions, and every lock there succeeds."""
        if self._probed:
            return
        try:
            heeds = self._heeds(f"{self._options.key}.probe-{uuid.uuid4().hex}")
        except Unheeded:
            heeds = False
        if not heeds:
            raise ReconcileError(
                "the store does not heed conditional writes: two runs could hold the lock at once",
                where=self.where,
                hint="use a store that heeds If-None-Match and If-Match, or the http or postgres backend",
            )
        self._probed.append(True)

    def _heeds(self, key: str) -> bool:
        self._put(key, b"probe", IfNoneMatch="*")
        try:
            return self._unmet(key, IfNoneMatch="*") and self._unmet(key, IfMatch='"0123456789abcdef0123456789abcdef"')
        finally:
            self._call(self._client.delete_object, Key=key)

    def _unmet(self, key: str, **condition: str) -> bool:
        try:
            self._put(key, b"again", **condition)
        except Unmet:
            return True
        return False

    def _put(self, key: str, content: bytes, **more: Any) -> str:
        return str(self._call(self._client.put_object, Key=key, Body=content, **self._sealed, **more)["ETag"])

    def _get(self, key: str) -> Stored | None:
        try:
            answer = self._call(self._client.get_object, Key=key)
            return Stored(answer["Body"].read(), answer["ETag"])
        except Unmet:
            return None
        except OSError as error:  # the body broke off; the client's own errors are told apart in `_call`
            raise Doubt(f"the answer broke off: {error}") from error

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        try:
            return operation(Bucket=self._options.bucket, **arguments)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            code = error.response.get("Error", {}).get("Code", "")
            if status in UNMET and code != "NoSuchBucket":
                raise Unmet(code) from error
            if status == 501 or code == "NotImplemented":
                raise Unheeded(f"the store refuses: {error}", where=self.where) from error
            if status >= 500 or status in (408, 429):
                raise Doubt(str(error)) from error
            raise ReconcileError(f"the store refuses: {error}", where=self.where) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise ReconcileError(
                f"no credentials for the store: {error}", where=self.where, hint="as for the AWS tools"
            ) from error
        except BotoCoreError as error:
            raise Doubt(str(error)) from error


class Unmet(Doubt):
    """The condition of a write was not met, or there is no such object; where neither was to be expected, a doubt."""


class Unheeded(ReconcileError):
    """The store says that it does not know such a condition."""


def _holder(content: bytes) -> Holder | None:
    try:
        return Holder.model_validate_json(content)
    except ValidationError:
        return None


def _client(options: S3Options) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ReconcileError("`backend: s3` needs the extra s3", hint="pip install '.[s3]'") from error
    config = Config(
        retries={"total_max_attempts": 1},  # what may be tried again is decided here, not there
        connect_timeout=10,
        read_timeout=60,
        s3={"addressing_style": "path" if options.path_style else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = boto3.session.Session(profile_name=options.profile, region_name=options.region)
    return session.client("s3", endpoint_url=options.endpoint, config=config, verify=options.ca_file)
