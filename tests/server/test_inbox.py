"""The watched folder: what came and stays is taken in once; originals stay as they are."""

from cardiotrace.server.inbox import Inbox
from tests.server.serving import served


def put(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_what_stays_the_same_is_taken_in_once(tmp_path, tiny_model, camus):
    folder = tmp_path / "in"
    folder.mkdir()
    with served(tmp_path / "kept", model=str(tiny_model)) as server:
        inbox = Inbox(server.services, folder)
        assert inbox.look() == []
        put(folder, camus)
        put(folder, {".hidden": b"x", "coming/a.dcm.part": b"x"})
        (folder / "link").symlink_to("/etc")
        states = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
        assert inbox.look() == [], "it may still be coming"
        (job,) = inbox.look()
        (study,) = server.person.job(job)["result"]["studies"]
        found = server.person.study(study)
        assert (found["state"], found["origin"]) == ("done", "inbox")
        assert inbox.look() == []
        assert Inbox(server.services, folder).look() == []
        assert {path: path.stat().st_mode for path in states} == {path: was.st_mode for path, was in states.items()}
        assert all(path.stat().st_nlink == 1 for path in states)
    with served(tmp_path / "kept", model=str(tiny_model)) as server:
        again = Inbox(server.services, folder)
        assert [again.look(), again.look()] == [[], []], "also the next server knows"
