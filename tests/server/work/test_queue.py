"""Jobs: in order, cancelled at once, kept over the death of a worker and of the server."""

import os
import signal
import threading

import httpx
import pytest

from cardiotrace.server.store.tables import JobRow, StudyRow
from cardiotrace.server.work.queue import add_job
from tests.server.serving import API, served, wait_for


def running_process(server):
    (slot,) = server.services.pool.slots("analysis")
    return wait_for(lambda: slot.pid if slot.is_busy else None, lambda pid: pid is not None)


def test_a_worker_that_is_killed_costs_one_job_and_is_replaced(server, person, camus):
    upload = person.send(camus, finish=False)
    job = person.http.post(f"{API}/uploads/{upload}/finish").json()["job"]
    os.kill(running_process(server), signal.SIGKILL)
    found = person.job(job)
    if found["state"] == "failed":
        assert "ended unexpectedly" in found["error"]["text"]
    assert person.analysed(camus)[0]["state"] == "done"


def test_cancelling_ends_what_runs_and_what_waits(server, person, camus):
    first, second = person.send(camus), person.send(camus)
    assert person.http.delete(f"{API}/jobs/{second}").status_code == 204
    assert person.job(second)["state"] == "cancelled"
    person.http.delete(f"{API}/jobs/{first}")
    assert person.job(first)["state"] in ("cancelled", "done")
    assert person.http.delete(f"{API}/jobs/{second}").status_code == 409


def test_pages_follow_and_take_up_where_they_broke_off(server, person, camus):
    seen, ready = [], threading.Event()

    def follow():
        http = httpx.Client(base_url=server.url, headers=person.http.headers, timeout=100)
        with http, http.stream("GET", f"{API}/events") as events:
            ready.set()
            for line in events.iter_lines():
                seen.append(line)
                if '"state":"done"' in line and '"kind":"analyse"' in line:
                    return

    thread = threading.Thread(target=follow)
    thread.start()
    assert ready.wait(60)
    person.analysed(camus)
    thread.join(60)
    kinds = {line for line in seen if line.startswith("event: ")}
    assert kinds == {"event: job", "event: study"}
    numbers = [line.removeprefix("id: ") for line in seen if line.startswith("id: ")]
    with person.http.stream("GET", f"{API}/events", headers={"Last-Event-ID": numbers[0]}) as events:
        lines = iter(events.iter_lines())
        again = [next(line for line in lines if line.startswith("id: ")) for _ in range(2)]
    assert again == [f"id: {number}" for number in numbers[1:3]]
    with person.http.stream("GET", f"{API}/events", headers={"Last-Event-ID": "other-5"}) as events:
        assert next(line for line in events.iter_lines() if line.startswith("event")) == "event: resync"


def test_what_was_running_when_the_server_died_is_done_by_the_next(tmp_path, tiny_model, camus):
    with served(tmp_path / "kept", model=str(tiny_model)) as first:
        (study,) = first.person.analysed(camus)
        upload = first.person.send({"a.nii": b"half"}, finish=False)
        with first.services.database.writing() as session:
            row = session.get(StudyRow, study["id"])
            job = first.services.queue_analysis(session, row, {})
            session.get(JobRow, job.serial).state = "running"  # and nobody works on it
            row.state = "running"
        (first.services.data.studies / "orphan").mkdir()
        (first.services.data.blobs / "00").mkdir(exist_ok=True)
        (first.services.data.blobs / "00" / ("0" * 64)).write_bytes(b"orphan")
    with served(tmp_path / "kept", model=str(tiny_model)) as second:
        assert second.person.job(job.id)["state"] == "done"
        assert second.person.study(study["id"])["version"] == 2
        assert second.person.get(f"/uploads/{upload}")["files"][0]["received"] == 4
        assert not (second.services.data.studies / "orphan").exists()
        assert "0" * 64 not in set(second.services.blobs)


def test_a_job_that_ends_the_server_again_and_again_is_given_up(tmp_path):
    with served(tmp_path / "kept") as server:
        with server.services.database.writing() as session:
            job = add_job(session, "demo", {})
            job.starts = 3
        server.services.jobs.wake()
        assert server.person.job(job.id)["state"] == "failed"


@pytest.fixture(autouse=True)
def _quiet(server):
    """Each test begins with an empty queue."""
    wait_for(lambda: not any(slot.is_busy for slot in server.services.pool.slots("analysis")), bool)
