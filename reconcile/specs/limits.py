"""The bounds that the API documents set, checked before anything is sent (AOM PushEvents, COC custom events). Sends nothing."""

from __future__ import annotations

import re
from typing import Any

from reconcile.model.config import Target
from reconcile.model.dialects import (
    COC_TEXT_MAX,
    CORE_METADATA,
    OPTIONAL_METADATA,
    OWN_ANNOTATIONS,
    STAMP_METADATA,
    Dialect,
)
from reconcile.model.resources import Alarm, Event
from reconcile.specs import codes
from reconcile.specs.locate import Steps
from reconcile.specs.source import Spot

_RESERVED = frozenset((*CORE_METADATA, *OPTIONAL_METADATA, *STAMP_METADATA))
_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_limits(resource: Event, target: Target, spot: Spot) -> None:
    """Report every bound the resource breaks on this target."""
    texts = _texts(resource)
    for path, text in texts:
        if text == "":
            spot.problem(path, codes.REQUIRED, f"`{path[-1]}` is empty")
    if target.type == "aom":
        _aom(resource, target, texts, spot)
    else:
        _coc(resource, texts, spot)


def _texts(resource: Event) -> list[tuple[Steps, str]]:
    """The texts that become metadata in AOM and fields of their own in COC."""
    about = resource.resource
    out: list[tuple[Steps, str]] = [
        (("name",), resource.name),
        (("message",), resource.message),
        (("resource", "provider"), about.provider),
        (("resource", "type"), about.type),
        (("resource", "id"), about.id),
    ]
    if about.name is not None:
        out.append((("resource", "name"), about.name))
    if about.region is not None:
        out.append((("resource", "region"), about.region))
    return out


def _aom(resource: Event, target: Target, texts: list[tuple[Steps, str]], spot: Spot) -> None:
    rules = target.rules
    if isinstance(resource, Alarm):
        _timeout(resource, rules, spot)
    if resource.attach_rule is not None and not rules.attach_rule:
        _absent("attach_rule", rules, spot)
    if resource.resource_group_id is not None and not rules.resource_group_id:
        _absent("resource_group_id", rules, spot)
    project = resource.enterprise_project_id or ""
    if not _PROJECT.fullmatch(project) or project == "all_granted_eps":
        spot.problem(("enterprise_project_id",), codes.RANGE, f"`{project[:80]}` is not the id of an enterprise project")
    elif project != "0" and not rules.enterprise_project_header:
        _absent("enterprise_project_id", rules, spot)
    if rules.metadata_value_max is not None:
        _lengths([pair for pair in texts if pair[0] != ("message",)], rules.metadata_value_max, rules, spot)
    if resource.metadata:
        _metadata(resource, rules, spot)
    _key_counts(resource, target, len(texts) - 5, spot)
    if resource.annotations:
        _annotations(resource, rules, spot)


def _timeout(resource: Alarm, rules: Dialect, spot: Spot) -> None:
    timeout, margin = resource.timeout or 0, resource.lifecycle.renew_before
    if rules.max_timeout is not None and timeout > rules.max_timeout:
        days = rules.max_timeout // 86_400_000
        spot.problem(("timeout",), codes.LIMIT, f"the timeout is above {days} days, the most that dialect {rules.name} allows")
    if margin is not None and margin >= timeout:
        spot.problem(("lifecycle", "renew_before"), codes.RANGE, "`renew_before` must be shorter than the timeout")


def _absent(key: str, rules: Dialect, spot: Spot) -> None:
    spot.problem((key,), codes.MISPLACED, f"dialect {rules.name} has no `{key}`", key=True)


def _lengths(texts: list[tuple[Steps, str]], longest: int, rules: Dialect, spot: Spot) -> None:
    for path, text in texts:
        if len(text) > longest:
            what = f"`{path[-1]}` has {len(text):,} characters, and dialect {rules.name} allows {longest:,}"
            spot.problem(path, codes.LIMIT, what)


def _metadata(resource: Event, rules: Dialect, spot: Spot) -> None:
    for key, text in resource.metadata.items():
        path = ("metadata", key)
        if key in _RESERVED:
            spot.problem(path, codes.RESERVED, f"metadata `{key}` is written by the tool itself", key=True)
        if key == "" or (text == "" and rules.metadata_value_max is not None):
            spot.problem(path, codes.LIMIT, "keys and values of metadata have at least one character", key=key == "")
    if rules.metadata_value_max is not None:
        pairs: list[tuple[Steps, str]] = [(("metadata", key), text) for key, text in resource.metadata.items()]
        _lengths(pairs, rules.metadata_value_max, rules, spot)


def _key_counts(resource: Event, target: Target, optional: int, spot: Spot) -> None:
    """30 keys of metadata and of annotations where the dialect says so; what the tool adds counts."""
    rules = target.rules
    metadata = len(resource.metadata) + len(CORE_METADATA) + optional + (len(STAMP_METADATA) if target.stamp else 0)
    if rules.metadata_keys_max is not None and metadata > rules.metadata_keys_max:
        what = f"with the tool's own, metadata has {metadata} keys; dialect {rules.name} allows {rules.metadata_keys_max}"
        spot.problem(("metadata",), codes.LIMIT, what, key=True)
    given = (resource.message, resource.probable_cause, resource.fix_suggestion, resource.url)
    annotations = len(resource.annotations) + sum(text is not None for text in given)
    if rules.annotations_keys_max is not None and annotations > rules.annotations_keys_max:
        what = (
            f"with the tool's own, annotations have {annotations} keys; dialect {rules.name} allows {rules.annotations_keys_max}"
        )
        spot.problem(("annotations",), codes.LIMIT, what, key=True)


def _annotations(resource: Event, rules: Dialect, spot: Spot) -> None:
    given = (resource.message, resource.probable_cause, resource.fix_suggestion, resource.url)
    _both(resource.annotations, "annotations", OWN_ANNOTATIONS, given, spot)
    for key, value in resource.annotations.items() if rules.annotations_text_only else ():
        if not isinstance(value, str):
            spot.problem(("annotations", key), codes.LIMIT, f"dialect {rules.name} allows only text in annotations", "quote it")


def _both(values: dict[str, Any], where: str, own: tuple[str, ...], given: tuple[str | None, ...], spot: Spot) -> None:
    fields = ("message", "probable_cause", "fix_suggestion", "url")
    for name, text, key in zip(own, given, fields, strict=False):
        if name in values and text is not None:
            spot.problem((where, name), codes.RESERVED, f"`{key}` of the resource is already written as {where}.{name}", key=True)


def _coc(resource: Event, texts: list[tuple[Steps, str]], spot: Spot) -> None:
    own: list[tuple[Steps, str | None]] = [
        (("namespace",), resource.namespace),
        (("application_id",), resource.application_id),
        (("source",), resource.source),
        (("url",), resource.url),
    ]
    for path, text in (*texts, *own):
        if text is not None and len(text) > COC_TEXT_MAX and path not in (("resource", "provider"), ("resource", "type")):
            spot.problem(path, codes.LIMIT, f"`{path[-1]}` has {len(text):,} characters, and COC allows {COC_TEXT_MAX}")
        if text == "" and path[0] in ("namespace", "application_id", "source"):
            spot.problem(path, codes.REQUIRED, f"`{path[-1]}` is empty")
    given = (None, resource.probable_cause, resource.fix_suggestion)
    _both(resource.additional, "additional", ("", "probable_cause", "fix_suggestion"), given, spot)
