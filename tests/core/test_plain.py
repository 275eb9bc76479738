"""Files that are no TOML or JSON, or more than they should be: one clear error, and never a hang."""

import os
import socket

import pytest

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.plain import NotThisLanguageError, parse_json, parse_toml, read_json, read_toml


@pytest.mark.parametrize("read", [read_toml, read_json])
@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a = ", "is not valid"), (b"a = '\xff'", "is not UTF-8 text: byte 6 is 0xff"), (None, "no such file")],
)
def test_files_of_something_else(read, content, message, tmp_path):
    path = tmp_path / "values.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        read(path)
    assert caught.value.where == str(path)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfa = 1")
    assert read_toml(tmp_path / "a.toml") == {"a": 1}


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)  # names of sockets are short


def make_sparse(path):
    with path.open("wb") as file:
        file.truncate(2**40)


def link_to(target):
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize("read", [read_toml, read_json])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (os.mkfifo, "is a pipe, not a file"),
        (make_socket, "is a socket, not a file"),
        (link_to("/dev/zero"), "is a device, not a file"),
        (os.mkdir, "is a folder, not a file"),
        (link_to("x"), "cannot be read: Too many levels of symbolic links"),
        (link_to("nowhere"), "is a link to a file that is not there"),
        (make_sparse, "is larger than .* MB"),
    ],
)
def test_only_regular_files_of_a_sensible_size_are_read(read, make, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "x")
    with pytest.raises(InputError, match=message):
        read(tmp_path / "x")


@pytest.mark.parametrize(("name", "said"), [("n" * 300, "File name too long"), ("a\0b", "is no path of a file")])
def test_names_that_cannot_be(name, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        read_toml(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 10_000 + "]" * 10_000, "nested too deeply"),
        ("a = " + "[" * 40 + "]" * 40, "nested more than 32 levels deep"),
        (".".join("a" * 100) + " = 1", "nested more than 32 levels deep"),
        ("a = " + "9" * 5000, "cannot be used: it holds a number of thousands of digits"),
        ("a = [1.0, 1e400]", "inf is no number"),
        ("a = nan", "nan is no number"),
        ("a = 1\na = 2", "Cannot overwrite a value"),
    ],
)
def test_toml_that_cannot_be_used(text, said):
    with pytest.raises(ConfigError, match=said):
        parse_toml(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 40 + "]" * 40, "nested more than 32 levels deep"),
        ('{"a": ' * 100_000, "nested too deeply"),
        ("9" * 5000, "cannot be used: it holds a number of thousands of digits"),
        ("[1e400]", "inf is no number"),
        ('{"a": {"b": NaN}}', "nan is no number"),
        ('{"a": 1, "b": 2, "a": 1}', "the key 'a' stands twice"),
        (b"\xff\xff\xff\xff", "is not valid JSON"),
    ],
)
def test_json_that_cannot_be_used(text, said):
    with pytest.raises(ConfigError, match=said):
        parse_json(text)


def test_what_is_allowed_stays_as_it_is():
    assert parse_toml("a = " + "[" * 31 + "]" * 31)["a"] == parse_json("[" * 31 + "]" * 31)
    assert parse_json('{"a": [1, 2.5, null, true, "x"]}') == {"a": [1, 2.5, None, True, "x"]}
    assert parse_toml("a = 1e300\nb = [{c = -0.0}]") == {"a": 1e300, "b": [{"c": -0.0}]}
    with pytest.raises(NotThisLanguageError):
        parse_toml("a = unet2")
