"""What can be chosen, and what is refused before anything listens."""

from pathlib import Path

import pytest

from cardiotrace.core.errors import UsageError
from cardiotrace.server.settings import ServeConfig


@pytest.mark.parametrize(
    "options",
    [
        {"host": "0.0.0.0"},
        {"host": "192.168.1.5"},
        {"host": "::"},
        {"tls_cert": Path("c.pem")},
        {"tls_key": Path("k.pem")},
        {"token": "short"},
        {"port": 70000},
        {"analysis_slots": 0},
        {"keep_days": -1},
        {"inbox": Path("not there")},
        {"names": ("http://heart.example",)},
    ],
)
def test_what_cannot_be_or_is_not_safe_is_refused_with_a_way_out(options):
    with pytest.raises(UsageError) as caught:
        ServeConfig(**options)
    assert caught.value.remedy


@pytest.mark.parametrize("options", [{"insecure_network": True}, {"tls_cert": Path("c.pem"), "tls_key": Path("k.pem")}])
def test_beyond_this_machine_somebody_says_so(options):
    assert not ServeConfig(host="0.0.0.0", **options).is_local


def test_names_that_a_browser_may_use():
    config = ServeConfig(host="0.0.0.0", names=("Heart.example",), insecure_network=True)
    assert config.hosts == {"127.0.0.1", "localhost", "::1", "heart.example"}
    assert "0.0.0.0" not in config.hosts
