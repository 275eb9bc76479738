"""The page as it was built, beside an interface that answers for itself."""

import httpx

from tests.server.serving import API, TOKEN, served


def test_the_page_is_served_with_its_files(tmp_path, monkeypatch):
    page = tmp_path / "static"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>CardioTrace</title>")
    (page / "assets" / "a-1234.js").write_text("export {}")
    monkeypatch.setattr("tests.server.serving.PAGE", page)
    with served(tmp_path / "kept") as server:
        with httpx.Client(base_url=server.url) as browser:
            browser.get(f"/?token={TOKEN}")
            index = browser.get("/")
            assert (index.status_code, index.headers["cache-control"]) == (200, "no-cache")
            script = browser.get("/assets/a-1234.js")
            assert "immutable" in script.headers["cache-control"]
            assert "javascript" in script.headers["content-type"]
            assert browser.get("/../cardiotrace.sqlite").status_code == 404
        wrong = server.person.http.get(f"{API}/uploads")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
        assert "error" in server.person.http.get(f"{API}/nothing").json()


def test_without_it_one_line_says_how_to_build_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.server.serving.PAGE", tmp_path)
    with served(tmp_path / "kept") as server:
        assert "make web" in server.person.http.get("/").text
