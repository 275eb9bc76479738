"""A server that is killed loses no edit that was answered."""

import signal

import pytest

from tests.server.desk.test_editing import Editor
from tests.server.test_run import person, started


@pytest.mark.slow
def test_every_answered_edit_is_there_after_a_kill(tmp_path, tiny_model, camus):
    words = ("--model", tiny_model)
    versions, study, labels, measures = 0, None, b"", None
    for _ in range(3):
        with started(tmp_path / "kept", *words) as (process, url, token), person(url, token) as who:
            study = study or who.analysed(camus)[0]
            editor = Editor(who, study, "A")
            if versions:
                found = editor.study()
                assert found["version"] == versions
                assert editor.labels().tobytes() == labels
                assert found["measures"] == measures
            assert editor.lease().status_code == 200
            for by in (0.97, 0.96):
                versions = editor.do(editor.pulled(0, by))["version"]
            labels, measures = editor.labels().tobytes(), editor.study()["measures"]
            process.send_signal(signal.SIGKILL)
            process.wait()
