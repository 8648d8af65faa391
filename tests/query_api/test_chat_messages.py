"""Saying something over REST, and reading what was said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.query_api.asking import appoint, as_moderator, done, listed, made, refused, say
from tests.query_api.conftest import Edge, Member

pytestmark = pytest.mark.stack

MESSAGES = "/helix/chat/messages"


@pytest.fixture
def owner(edge: Edge) -> Member:
    return edge.register(display_name="The Owner")


@pytest.fixture(scope="module")
def moderator(edge: Edge) -> Member:
    return edge.register()


@pytest.fixture(scope="module")
def viewer(edge: Edge) -> Member:
    return edge.register()


def history(reader: Member, channel: Member, after: str = "", **query: Any) -> list[dict[str, Any]]:
    return listed(reader.ask("GET", MESSAGES, params={"broadcaster_id": channel.id, **query}, after=after))


def test_a_message_is_shown_with_what_its_sender_is_and_its_emotes(owner: Member) -> None:
    sent = say(owner, owner, "hello :wave:")
    assert made(sent)["is_sent"] is True
    (shown,) = history(owner, owner, after=sent.headers["Tally-Consistency"])
    sent_at = datetime.fromisoformat(shown.pop("sent_at"))
    assert shown.pop("color").startswith("#")
    assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 60
    assert shown == {
        "message_id": made(sent)["message_id"],
        "broadcaster_id": owner.id,
        "sender_id": owner.id,
        "sender_login": owner.login,
        "sender_name": "The Owner",
        "message": "hello :wave:",
        "fragments": [
            {"type": "text", "text": "hello ", "emote_id": None, "login": None},
            {"type": "emote", "text": ":wave:", "emote_id": "1f44b", "login": None},
        ],
        "cheer": None,
        "reply_parent_message_id": None,
        "badges": [{"set_id": "broadcaster", "id": "1"}],
        "emotes": "1f44b:6-11",
        "announcement": "",
        "reactions": [],
        "deleted_at": None,
        "deleted_by": None,
    }


def test_what_the_rules_stop_is_answered_with_the_reason(owner: Member, viewer: Member) -> None:
    slow = {"slow_mode": True, "slow_mode_wait_time": 60}
    query = as_moderator(owner, owner)
    assert owner.ask("PATCH", "/helix/chat/settings", params=query, json=slow).status_code == 200
    assert made(say(viewer, owner, "first"))["is_sent"] is True
    dropped = made(say(viewer, owner, "second"))
    assert (dropped["message_id"], dropped["is_sent"]) == ("", False)
    assert dropped["drop_reason"]["code"] == "msg_slowmode"
    assert "wait" in dropped["drop_reason"]["message"]


def test_a_flood_is_stopped_before_it_reaches_the_log(edge: Edge, owner: Member) -> None:
    loud = edge.register()
    edges = "you are sending too quickly"
    reasons: list[dict[str, str] | None] = [None]
    while not (reasons[-1] or {}).get("message", "").startswith(edges):
        assert len(reasons) < 1_000, "the log is asked however much one sends"
        reasons.append(made(say(loud, owner, f"number {len(reasons)}"))["drop_reason"])
    assert {(reason or {}).get("code") for reason in reasons} == {None, "msg_ratelimit"}
    assert made(say(owner, owner, "calmly"))["is_sent"] is True


def test_the_banned_are_told_so(owner: Member, viewer: Member) -> None:
    ban = {"data": {"user_id": viewer.id}}
    made(owner.ask("POST", "/helix/moderation/bans", params=as_moderator(owner, owner), json=ban))
    assert made(say(viewer, owner, "let me in"))["drop_reason"]["code"] == "msg_banned"


def test_what_is_wrong_with_the_request_is_no_drop(owner: Member, viewer: Member) -> None:
    assert refused(say(viewer, owner, "x" * 501)) == (422, "msg_too_long")
    assert refused(say(viewer, owner, "yes", reply_parent_message_id="nothing")) == (404, "unknown_message")
    body = {"broadcaster_id": owner.id, "sender_id": owner.id, "message": "as another"}
    assert refused(viewer.ask("POST", MESSAGES, json=body))[0] == 403


def test_a_repeated_key_says_it_once(owner: Member, viewer: Member) -> None:
    first, second = (made(say(viewer, owner, "only once", key="k")) for _ in range(2))
    assert first == second


def test_what_was_said_with_a_donation_is_among_the_messages(owner: Member, moderator: Member, viewer: Member) -> None:
    appoint(owner, moderator)
    say(owner, owner, "before")
    given = {"broadcaster_id": owner.id, "amount": {"value": 500, "currency": "EUR"}}
    silent = moderator.ask("POST", "/helix/donations", json=given)
    gift = moderator.ask("POST", "/helix/donations", json={**given, "message": "for :wave:"})
    seen = say(owner, owner, "after").headers["Tally-Consistency"]
    assert silent.status_code == 200
    history(owner, owner, after=gift.headers["Tally-Consistency"])
    after, shown, before = history(owner, owner, after=seen)
    assert (before["message"], after["message"]) == ("before", "after")
    assert shown["message_id"] == made(gift)["id"]
    assert shown["message"] == "5.00 EUR for :wave:"
    assert (shown["sender_login"], shown["badges"]) == (moderator.login, [{"set_id": "moderator", "id": "1"}])
    assert (shown["cheer"], shown["emotes"]) == ({"amount_minor": 500, "currency": "EUR"}, "1f44b:13-18")
    assert [piece["type"] for piece in shown["fragments"]] == ["cheer", "text", "text", "emote"]
    assert [one["message"] for one in history(owner, owner, user_id=moderator.id)] == [shown["message"]]
    query = as_moderator(owner, owner, message_id=shown["message_id"])
    gone = done(owner.ask("DELETE", "/helix/moderation/chat", params=query))
    assert [one["message"] for one in history(viewer, owner, after=gone, sort="oldest")] == ["before", "after"]
    gifts = listed(viewer.ask("GET", "/helix/donations", params={"broadcaster_id": owner.id}))
    assert [(gift["message"], gift["amount"]["value"]) for gift in gifts] == [("", 500), ("", 500)]


def test_history_is_read_by_pages_by_user_and_by_time(owner: Member, viewer: Member) -> None:
    texts = [f"number {number}" for number in range(5)]
    for text in texts[:-1]:
        say(owner, owner, text)
    last = say(viewer, owner, texts[-1]).headers["Tally-Consistency"]
    query = {"broadcaster_id": owner.id, "first": 2}
    first = owner.ask("GET", MESSAGES, params=query, after=last).json()
    second = owner.ask("GET", MESSAGES, params={**query, "after": first["pagination"]["cursor"]}).json()
    assert [shown["message"] for shown in (*first["data"], *second["data"])] == texts[:0:-1]
    assert [shown["message"] for shown in history(owner, owner, user_id=viewer.id)] == [texts[-1]]
    oldest = {**query, "first": 4, "sort": "oldest"}
    begun = owner.ask("GET", MESSAGES, params=oldest).json()
    ended = owner.ask("GET", MESSAGES, params={**oldest, "after": begun["pagination"]["cursor"]}).json()
    assert [shown["message"] for shown in (*begun["data"], *ended["data"])] == texts
    times = {shown["message"]: shown["sent_at"] for shown in history(owner, owner)}
    span = {"started_at": times[texts[1]], "ended_at": times[texts[3]]}
    assert [shown["message"] for shown in history(owner, owner, **span)] == [texts[2], texts[1]]


class TestNotPublic:
    """The history of a channel is as open as its room."""

    def closed(self, owner: Member, policy: str) -> str:
        say(owner, owner, "among us")
        answer = owner.ask(
            "PATCH", "/helix/channels", params={"broadcaster_id": owner.id}, json={"playback_policy": policy}
        )
        return done(answer)

    @pytest.mark.parametrize("policy", ["private", "subscribers"])
    def test_strangers_neither_read_nor_speak(self, edge: Edge, owner: Member, viewer: Member, policy: str) -> None:
        seen = self.closed(owner, policy)
        query = {"broadcaster_id": owner.id}
        assert refused(viewer.ask("GET", MESSAGES, params=query, after=seen)) == (403, policy)
        assert refused(edge.client.get(MESSAGES, params=query)) == (403, policy)
        assert refused(viewer.ask("GET", "/helix/donations", params=query)) == (403, policy)
        assert refused(say(viewer, owner, "let me in")) == (403, policy)
        assert [shown["message"] for shown in history(owner, owner)] == ["among us"]

    def test_who_helps_to_run_it_reads_and_speaks(self, owner: Member, moderator: Member) -> None:
        self.closed(owner, "private")
        seen = appoint(owner, moderator)
        assert [shown["message"] for shown in history(moderator, owner, after=seen)] == ["among us"]
        assert made(say(moderator, owner, "here I am"))["is_sent"] is True

    def test_subscribers_read_and_speak_where_they_may_watch(self, owner: Member, viewer: Member) -> None:
        self.closed(owner, "subscribers")
        subscribed = viewer.ask("POST", "/helix/subscriptions", json={"broadcaster_id": owner.id, "tier": "1000"})
        seen = subscribed.headers["Tally-Consistency"]
        assert [shown["message"] for shown in history(viewer, owner, after=seen)] == ["among us"]
        assert made(say(viewer, owner, "worth it"))["is_sent"] is True


class TestDeleting:
    PATH = "/helix/moderation/chat"

    def test_only_moderators_see_what_was_deleted(self, owner: Member, moderator: Member, viewer: Member) -> None:
        appointed = appoint(owner, moderator)
        gone = made(say(viewer, owner, "a spoiler"))["message_id"]
        say(viewer, owner, "a compliment")
        query = as_moderator(moderator, owner, message_id=gone)
        seen = done(moderator.ask("DELETE", self.PATH, params=query))
        assert [shown["message"] for shown in history(viewer, owner, after=seen)] == ["a compliment"]
        deleted = history(moderator, owner, after=appointed)[1]
        assert (deleted["message_id"], deleted["deleted_by"]) == (gone, moderator.id)
        assert refused(moderator.ask("DELETE", self.PATH, params=query)) == (404, "unknown_message")

    def test_clearing_takes_all_before_it(self, owner: Member, viewer: Member) -> None:
        say(viewer, owner, "before")
        done(owner.ask("DELETE", self.PATH, params=as_moderator(owner, owner)))
        seen = say(viewer, owner, "afterwards").headers["Tally-Consistency"]
        assert [shown["message"] for shown in history(viewer, owner, after=seen)] == ["afterwards"]
        assert [shown["deleted_by"] for shown in history(owner, owner)] == [None, owner.id]

    def test_viewers_delete_their_own_alone(self, owner: Member, viewer: Member) -> None:
        owners = made(say(owner, owner, "mine"))["message_id"]
        query = as_moderator(viewer, owner, message_id=owners)
        assert refused(viewer.ask("DELETE", self.PATH, params=query)) == (403, "unauthorised")
        own = made(say(viewer, owner, "regretted"))["message_id"]
        done(viewer.ask("DELETE", self.PATH, params={**query, "message_id": own}))
        assert refused(viewer.ask("DELETE", self.PATH, params=as_moderator(viewer, owner))) == (403, "unauthorised")

    def test_an_undone_spree_shows_them_again(self, owner: Member, moderator: Member, viewer: Member) -> None:
        appoint(owner, moderator)
        began = datetime.now(UTC).isoformat()
        gone = made(say(viewer, owner, "deleted by mistake"))["message_id"]
        done(moderator.ask("DELETE", self.PATH, params=as_moderator(moderator, owner, message_id=gone)))
        cleared = done(moderator.ask("DELETE", self.PATH, params=as_moderator(moderator, owner)))
        assert history(viewer, owner, after=cleared) == []
        span = {"started_at": began, "ended_at": datetime.now(UTC).isoformat()}
        wish = {"broadcaster_id": owner.id, "user_id": moderator.id, **span}
        assert refused(moderator.ask("POST", "/helix/moderation/undo", json=wish)) == (403, "unauthorised")
        undone = done(owner.ask("POST", "/helix/moderation/undo", json=wish))
        (shown,) = history(viewer, owner, after=undone)
        assert (shown["message_id"], shown["deleted_at"]) == (gone, None)


def test_a_moderator_announces(owner: Member, moderator: Member) -> None:
    path, text = "/helix/chat/announcements", {"message": "five minutes", "color": "purple"}
    query = as_moderator(moderator, owner)
    assert refused(moderator.ask("POST", path, params=query, json=text)) == (403, "unauthorised")
    appoint(owner, moderator)
    seen = done(moderator.ask("POST", path, params=query, json=text))
    (shown,) = history(owner, owner, after=seen)
    assert (shown["message"], shown["announcement"]) == ("five minutes", "purple")
    assert refused(moderator.ask("POST", path, params=query, json={"message": "x", "color": "red"}))[0] == 400


def test_a_raid_goes_from_ones_own_channel(owner: Member, viewer: Member) -> None:
    query = {"from_broadcaster_id": viewer.id, "to_broadcaster_id": owner.id}
    started = made(viewer.ask("POST", "/helix/raids", params=query))
    assert set(started) == {"created_at", "is_mature"}
    assert refused(owner.ask("POST", "/helix/raids", params=query))[0] == 403
    itself = {"from_broadcaster_id": viewer.id, "to_broadcaster_id": viewer.id}
    assert refused(viewer.ask("POST", "/helix/raids", params=itself)) == (400, "cannot_raid_self")
