"""From where media are fetched: Viber's hosts at public addresses, and this machine only where it is a stage's own."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from chalicelib import strangers, wire
from chalicelib.channels.viber import media
from chalicelib.channels.viber.media import fetch
from chalicelib.model import SendFailed
from chalicelib.wire import Deadline
from tests.media.host import MediaHost

SOON = Deadline(1e6)


def refused(link: str) -> tuple[str, bool]:
    with pytest.raises(SendFailed) as failure:
        fetch(link, SOON)
    return failure.value.reason, failure.value.retryable


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Names and their addresses; nothing else is known, and nobody is really called."""
    known: dict[str, Any] = {"called": []}

    def look_up(host: str, *args: Any, **more: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in known[host]]

    def download(service: str, operation: str, url: str, address: str, *args: Any) -> wire.Reply:
        known["called"].append(address)
        return wire.Reply(200, {}, b"found")

    monkeypatch.setattr(strangers.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(media.strangers, "download", download)
    return known


def test_what_a_listed_host_gives_is_taken(host: MediaHost) -> None:
    assert fetch(host.link("/i/9.jpg", b"bytes") + "?exp=1", SOON) == b"bytes"
    assert host.asked == ["/i/9.jpg?exp=1"]


@pytest.mark.shows("B34", "A9")
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/9.jpg",
        "https://media.viber.example.evil.example/9.jpg",
        "https://cdn.viber.example/9.jpg",  # the rule names hosts within that domain, not itself
        "https://169.254.169.254/latest/meta-data/",
        "https://2852039166/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https:///9.jpg",
        "https://media.viber.example./9.jpg",
        "file:///etc/passwd",
    ],
)
def test_a_host_nobody_listed_is_not_called(host: MediaHost, resolver: dict[str, Any], link: str) -> None:
    assert refused(link) == ("host_not_allowed", False)
    assert resolver["called"] == []


@pytest.mark.shows("A9")
@pytest.mark.parametrize(
    "link",
    [
        "https://media.viber.example@evil.example/",
        "https://mira:secret@media.viber.example/",
        "https://evil.example\\@media.viber.example/",
        "https://media.viber.example/\r\nHost: evil.example",
        "https://media.viber.example/a b",
        "https://media.viber.example:99999/",
        "https://mediа.viber.example/",  # a Cyrillic letter
    ],
)
def test_a_link_that_can_be_read_in_two_ways_is_refused(host: MediaHost, resolver: dict[str, Any], link: str) -> None:
    assert refused(link) == ("bad_link", False)
    assert resolver["called"] == []


PRIVATE = ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "fd00::1"]
PRIVATE += ["fe80::1", "::", "::ffff:10.0.0.1", "::ffff:169.254.169.254"]


@pytest.mark.shows("B34", "A9")
@pytest.mark.parametrize("address", PRIVATE)
def test_a_listed_name_that_leads_into_a_private_network_is_not_called(
    host: MediaHost, resolver: dict[str, Any], address: str
) -> None:
    resolver["media.viber.example"] = [address]
    assert refused("https://media.viber.example/9.jpg") == ("address_not_allowed", False)
    resolver["media.viber.example"] = ["93.184.216.34", address]
    assert refused("https://media.viber.example/9.jpg") == ("address_not_allowed", False)
    assert resolver["called"] == []


@pytest.mark.shows("A9")
def test_the_address_that_was_looked_at_is_the_one_that_is_called(host: MediaHost, resolver: dict[str, Any]) -> None:
    resolver["eu.cdn.viber.example"] = ["93.184.216.34"]
    assert fetch("https://eu.cdn.viber.example/9.jpg", SOON) == b"found"
    assert resolver["called"] == ["93.184.216.34"]


@pytest.mark.shows("A9")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_outside_the_local_stages_this_machine_is_as_private_as_any(
    host: MediaHost, resolver: dict[str, Any], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("SALTER_STAGE", "prod")
    resolver["media.viber.example"] = [address]
    assert refused("https://media.viber.example/9.jpg") == ("address_not_allowed", False)
    assert refused("http://media.viber.example/9.jpg") == ("not_https", False)
    assert refused("https://media.viber.example:8443/9.jpg") == ("port_not_allowed", False)
    assert resolver["called"] == []


@pytest.mark.shows("A9")
def test_even_the_local_stage_calls_no_public_host_in_the_clear(host: MediaHost, resolver: dict[str, Any]) -> None:
    resolver["media.viber.example"] = ["93.184.216.34"]
    assert refused("http://media.viber.example/9.jpg") == ("address_not_allowed", False)


@pytest.mark.shows("B34", "A9")
def test_a_redirect_is_not_followed(host: MediaHost) -> None:
    secret = host.link("/secret", b"of the house")
    assert refused(host.link("/9.jpg", secret)) == ("http_302", False)
    assert host.asked == ["/9.jpg"]


def test_a_name_nobody_knows_just_now_may_be_known_later(host: MediaHost, resolver: dict[str, Any]) -> None:
    assert refused("https://media.viber.example/9.jpg") == ("host_unknown", True)


@pytest.mark.shows("F32")
@pytest.mark.parametrize(("status", "retryable"), [(403, False), (404, False), (410, False), (429, True), (503, True)])
def test_a_dead_link_is_final_and_a_tired_host_is_not(host: MediaHost, status: int, retryable: bool) -> None:
    assert refused(host.link("/9.jpg", status)) == (f"http_{status}", retryable)


@pytest.mark.shows("B35", "B53", "F30")
def test_more_than_the_bound_is_not_read(host: MediaHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "BYTES_MAX", 1000)
    assert refused(host.link("/9.jpg", bytes(1001))) == ("too_large", False)
    assert refused(host.link("/drip", (bytes(600), bytes(600)))) == ("too_large", False)
    assert len(fetch(host.link("/fits", bytes(1000)), SOON)) == 1000


def test_a_host_that_gives_its_bytes_in_drops_is_left(host: MediaHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "SECONDS_MAX", 0.8)
    assert refused(host.link("/9.jpg", (b"drop",) * 20)) == ("TimeoutError", True)


@pytest.mark.shows("B53")
def test_an_answer_that_was_cut_short_is_no_photo(host: MediaHost, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def cut() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf")
            connection.close()

        threading.Thread(target=cut, daemon=True).start()
        assert refused(f"http://127.0.0.1:{server.getsockname()[1]}/9.jpg") == ("IncompleteRead", True)
