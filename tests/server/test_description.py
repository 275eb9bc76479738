"""The description of the interface: complete, and true of every answer."""

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings

from cardiotrace.server.app import make_app
from cardiotrace.server.services import Services
from cardiotrace.server.settings import ServeConfig
from tests.server.databases import sqlite_at
from tests.server.serving import TOKEN, served

checks = pytest.importorskip("schemathesis.specs.openapi.checks", reason="schemathesis is not installed")
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
UNENDING = "/api/v1/events"
LEASED = 423
JUDGED_BY_SENSE = tuple(f"/api/v1/{path}" for path in ("pacs/destinations", "pacs/query", "pacs/retrieve", "rules"))


@pytest.fixture(scope="module")
def description(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    database = sqlite_at(folder)
    app: FastAPI = make_app(Services(ServeConfig(data=folder), database, TOKEN))
    yield app.openapi()
    database.close()


def test_every_route_is_explained(description):
    assert description["info"]["title"] == "CardioTrace"
    assert set(description["components"]["schemas"]["ErrorAnswer"]["properties"]) == {"error"}
    for path, ways in description["paths"].items():
        assert path.startswith("/api/v1/")
        for way in ways.values():
            assert way["description"]
            assert way.get("security") or path == "/api/v1/system/health"
            assert {"401", "403", "422", "500"} <= set(way["responses"])
            told = [way["responses"][status]["content"]["application/json"]["schema"] for status in ("401", "500")]
            assert told == [{"$ref": "#/components/schemas/ErrorAnswer"}] * 2
            assert any(status.startswith("2") for status in way["responses"])
            for parameter in way.get("parameters", ()):
                assert parameter["schema"]


def fuzz(folder, model, examples):
    """Ask all that the description allows, `examples` times for each route, and look at every answer."""
    with served(folder, model=str(model)) as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        schema = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json", headers=headers)
        asked = 0
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.path == UNENDING:
                continue

            @settings(
                max_examples=examples,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def ask(case):
                # Wrong tokens are counted, and would lock the test out.
                left_out = [checks.ignored_auth]
                response = case.call(headers=headers, timeout=600)
                # What is well formed may make no sense: a lease that was made up, an archive without an address.
                if response.status_code == LEASED or case.operation.path in JUDGED_BY_SENSE:
                    left_out.append(checks.positive_data_acceptance)
                case.validate_response(response, excluded_checks=left_out)

            ask()
            asked += 1
        return asked


def test_answers_are_as_described(tmp_path, tiny_model):
    assert fuzz(tmp_path / "kept", tiny_model, examples=2) >= 15


@pytest.mark.slow
def test_many_answers_are_as_described(tmp_path, tiny_model):
    assert fuzz(tmp_path / "kept", tiny_model, examples=60) >= 15
