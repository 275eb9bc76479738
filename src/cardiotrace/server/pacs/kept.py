"""Network settings in the database, and what follows from them when studies come and are done."""

import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from cardiotrace.core.errors import ConfigError
from cardiotrace.server.pacs.settings import NetworkSettings, Rule
from cardiotrace.server.pacs.study_query import require_uid
from cardiotrace.server.store.studies import MissingError
from cardiotrace.server.store.tables import JobRow, SettingRow, StudyRow, UploadRow
from cardiotrace.server.work.queue import add_job

_SETTING = "network"


def network_settings(session: Session) -> NetworkSettings:
    """Those that are kept; the usual ones where there are none."""
    row = session.get(SettingRow, _SETTING)
    return NetworkSettings() if row is None else NetworkSettings.from_plain(row.value)


def keep_network_settings(session: Session, settings: NetworkSettings, secret_files: Path) -> None:
    """Keep them.

    Args:
        session: in which.
        settings: destinations and rules.
        secret_files: the one folder that passwords, tokens, certificates and keys may be read from: who may change
            settings must not have any file of this machine sent to a place of their choice.

    Raises:
        ConfigError: a file is named that lies elsewhere.
    """
    for destination in settings.destinations:
        for path in destination.files:
            if not path.resolve().is_relative_to(secret_files.resolve()):
                raise ConfigError(
                    f"destination {destination.name}: {path.name} does not lie where secrets are kept",
                    remedy=f"put it into {secret_files}, which only the owner can read.",
                )
    session.merge(SettingRow(name=_SETTING, value=settings.to_plain()))


def queue_sending(session: Session, study: StudyRow, to: str, forms: Sequence[str]) -> JobRow:
    """Queue that results of a study are sent; whoever calls wakes the queue when the session is over.

    Raises:
        MissingError: there is no destination of the name.
    """
    params = {"study": study.id, "to": plain_destination(session, to), "forms": list(forms)}
    return add_job(session, "send", params, study=study.id)


def queue_retrieval(session: Session, from_where: str, study_uid: str) -> JobRow:
    """Queue that a study is fetched from an archive and taken in.

    Raises:
        MissingError: there is no destination of the name.
        InputError: that is no identifier of a study.
    """
    require_uid(study_uid)
    archive, upload = plain_destination(session, from_where), secrets.token_hex(8)
    job = add_job(session, "retrieve", {"upload": upload, "from": archive, "study_uid": study_uid})
    session.add(UploadRow(id=upload, created=time.time(), job=job.id))
    return job


def send_by_rule(session: Session, study: StudyRow, rule: Rule) -> None:
    """Queue what a rule says is sent of a study that was analysed."""
    for name in rule.send_to:
        queue_sending(session, study, name, rule.forms)


def rule_of(session: Session, origin: str, modalities: Sequence[str]) -> Rule:
    """The rule for a study."""
    return network_settings(session).rule_for(origin, modalities)


def plain_destination(session: Session, name: str) -> dict[str, Any]:
    """A destination as a task takes it: what it is now. Secrets stand in files of their own.

    Raises:
        MissingError: there is none of the name.
    """
    for found in network_settings(session).to_plain()["destinations"]:
        if found["name"] == name:
            return dict(found)
    raise MissingError(f"there is no destination {name!r}", remedy="PUT /api/v1/pacs/destinations makes it known.")
