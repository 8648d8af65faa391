"""Roles, bans, warnings, unban requests, the chat's policy and the audit log, as Helix's clients ask for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from query_api.scopes import SCOPES
from schemas.events.chat import MessageHeld
from tests.query_api.asking import appoint, as_moderator, done, listed, made, refused, say
from tests.query_api.conftest import PASSWORD, Edge, Member

pytestmark = pytest.mark.stack

BANS = "/helix/moderation/bans"
ACTIONS = "/helix/moderation/actions"


@pytest.fixture
def owner(edge: Edge) -> Member:
    return edge.register()


@pytest.fixture(scope="module")
def moderator(edge: Edge) -> Member:
    return edge.register(display_name="The Moderator")


@pytest.fixture(scope="module")
def viewer(edge: Edge) -> Member:
    return edge.register(display_name="The Viewer")


def ban(moderator: Member, channel: Member, target: Member, **more: Any) -> Any:
    body = {"data": {"user_id": target.id, **more}}
    return moderator.ask("POST", BANS, params=as_moderator(moderator, channel), json=body)


@pytest.mark.parametrize(
    ("path", "again", "absent"),
    [
        ("/helix/moderation/moderators", (400, "already_moderator"), (400, "not_moderator")),
        ("/helix/channels/vips", (422, "already_vip"), (422, "not_vip")),
    ],
)
def test_the_owner_gives_a_role_and_takes_it_away(
    owner: Member, viewer: Member, path: str, again: tuple[int, str], absent: tuple[int, str]
) -> None:
    change = {"broadcaster_id": owner.id, "user_id": viewer.id}
    given = done(owner.ask("POST", path, params=change))
    assert refused(owner.ask("POST", path, params=change)) == again
    shown = listed(owner.ask("GET", path, params={"broadcaster_id": owner.id}, after=given))
    assert shown == [{"user_id": viewer.id, "user_login": viewer.login, "user_name": "The Viewer"}]
    taken = done(owner.ask("DELETE", path, params=change))
    assert listed(owner.ask("GET", path, params=change, after=taken)) == []
    assert refused(owner.ask("DELETE", path, params=change)) == absent


def test_others_neither_give_roles_nor_see_them(owner: Member, viewer: Member) -> None:
    path, change = "/helix/moderation/moderators", {"broadcaster_id": owner.id, "user_id": viewer.id}
    assert refused(viewer.ask("POST", path, params=change))[0] == 403
    assert refused(viewer.ask("GET", path, params={"broadcaster_id": owner.id})) == (403, "unauthorised")


class TestBans:
    def test_a_timeout_is_shown_until_it_is_lifted(self, owner: Member, moderator: Member, viewer: Member) -> None:
        appoint(owner, moderator)
        answer = ban(moderator, owner, viewer, duration=300, reason="spam")
        timeout = made(answer)
        created_at, end_time = (datetime.fromisoformat(timeout[name]) for name in ("created_at", "end_time"))
        assert end_time - created_at == timedelta(seconds=300)
        query = {"broadcaster_id": owner.id, "user_id": viewer.id}
        seen = answer.headers["Tally-Consistency"]
        (shown,) = listed(owner.ask("GET", "/helix/moderation/banned", params=query, after=seen))
        assert datetime.fromisoformat(shown.pop("expires_at")) == end_time
        assert datetime.fromisoformat(shown.pop("created_at")) == created_at
        assert shown == {
            "user_id": viewer.id,
            "user_login": viewer.login,
            "user_name": "The Viewer",
            "reason": "spam",
            "moderator_id": moderator.id,
            "moderator_login": moderator.login,
            "moderator_name": "The Moderator",
        }
        lifted = done(moderator.ask("DELETE", BANS, params=as_moderator(moderator, owner, user_id=viewer.id)))
        assert listed(owner.ask("GET", "/helix/moderation/banned", params=query, after=lifted)) == []

    def test_a_ban_is_for_good_and_given_once(self, owner: Member, viewer: Member) -> None:
        answer = ban(owner, owner, viewer)
        assert made(answer)["end_time"] is None
        assert refused(ban(owner, owner, viewer)) == (400, "already_banned")
        query, seen = {"broadcaster_id": owner.id}, answer.headers["Tally-Consistency"]
        (shown,) = listed(owner.ask("GET", "/helix/moderation/banned", params=query, after=seen))
        assert shown["expires_at"] == ""

    def test_a_banned_moderator_is_none_any_more(self, owner: Member, moderator: Member, viewer: Member) -> None:
        appoint(owner, moderator)
        made(ban(owner, owner, moderator))
        assert refused(ban(moderator, owner, viewer)) == (403, "unauthorised")

    def test_one_acts_in_ones_own_name(self, owner: Member, viewer: Member) -> None:
        body = {"data": {"user_id": viewer.id}}
        assert refused(viewer.ask("POST", BANS, params=as_moderator(owner, owner), json=body))[0] == 403

    def test_either_scope_lets_one_see_bans(self, edge: Edge, owner: Member) -> None:
        for scope, status in (("moderation:read", 200), ("moderator:manage:banned_users", 200), ("clips:edit", 403)):
            form = {"grant_type": "password", "username": owner.login, "password": PASSWORD, "scope": scope}
            token = edge.client.post("/oauth2/token", data=form).json()["access_token"]
            limited = Member(edge.client, owner.login, owner.id, token)
            answer = limited.ask("GET", "/helix/moderation/banned", params={"broadcaster_id": owner.id})
            assert answer.status_code == status
        assert {"moderation:read", "moderator:manage:banned_users"} <= set(SCOPES)


def test_the_banned_ask_to_be_let_in_and_are(owner: Member, viewer: Member) -> None:
    path = "/helix/moderation/unban_requests"
    wish = {"broadcaster_id": owner.id, "text": "it was my brother"}
    assert refused(viewer.ask("POST", path, json=wish)) == (400, "not_banned")
    made(ban(owner, owner, viewer))
    asked = viewer.ask("POST", path, json=wish, key="ask")
    request_id = made(asked)["id"]
    assert made(viewer.ask("POST", path, json=wish, key="ask"))["id"] == request_id
    query = as_moderator(owner, owner, status="pending")
    (shown,) = listed(owner.ask("GET", path, params=query, after=asked.headers["Tally-Consistency"]))
    assert (shown["id"], shown["user_login"], shown["text"]) == (request_id, viewer.login, wish["text"])
    answer = as_moderator(owner, owner, unban_request_id=request_id, status="approved", resolution_text="welcome back")
    resolved = made(owner.ask("PATCH", path, params=answer))
    assert (resolved["status"], resolved["resolution_text"]) == ("approved", "welcome back")
    assert resolved["moderator_login"] == owner.login
    assert made(say(viewer, owner, "thank you"))["is_sent"] is True


def test_the_warned_read_why_and_speak_again(owner: Member, viewer: Member) -> None:
    path = "/helix/moderation/warnings"
    wish = {"data": {"user_id": viewer.id, "reason": "no spoilers"}}
    warned = owner.ask("POST", path, params=as_moderator(owner, owner), json=wish)
    assert made(warned) == {
        "broadcaster_id": owner.id,
        "user_id": viewer.id,
        "moderator_id": owner.id,
        "reason": "no spoilers",
    }
    assert made(say(viewer, owner, "but"))["drop_reason"]["code"] == "msg_warned"
    own = {"broadcaster_id": owner.id}
    seen = warned.headers["Tally-Consistency"]
    assert made(viewer.ask("GET", path, params=own, after=seen))["reason"] == "no spoilers"
    done(viewer.ask("PATCH", path, params=own))
    assert made(say(viewer, owner, "sorry"))["is_sent"] is True


class TestPolicy:
    def test_modes_are_set_as_helix_names_them(self, owner: Member) -> None:
        path, query = "/helix/chat/settings", as_moderator(owner, owner)
        change = {"follower_mode": True, "follower_mode_duration": 10, "slow_mode": True, "emote_mode": True}
        changed = made(owner.ask("PATCH", path, params=query, json=change))
        assert changed == {
            "broadcaster_id": owner.id,
            "moderator_id": owner.id,
            "emote_mode": True,
            "follower_mode": True,
            "follower_mode_duration": 10,
            "slow_mode": True,
            "slow_mode_wait_time": 30,
            "subscriber_mode": False,
            "unique_chat_mode": False,
            "non_moderator_chat_delay": False,
            "non_moderator_chat_delay_duration": None,
        }
        off = made(owner.ask("PATCH", path, params=query, json={"slow_mode": False, "follower_mode": False}))
        assert (off["slow_mode_wait_time"], off["follower_mode_duration"], off["emote_mode"]) == (None, None, True)

    def test_anybody_may_know_the_modes(self, edge: Edge, owner: Member) -> None:
        answer = edge.client.get("/helix/chat/settings", params={"broadcaster_id": owner.id})
        shown = made(answer)
        assert (shown["slow_mode"], shown["emote_mode"]) == (False, False)
        assert "moderator_id" not in shown

    @pytest.mark.parametrize(
        "change",
        [{}, {"slow_mode_wait_time": 2}, {"slow_mode": False, "slow_mode_wait_time": 30}, {"slow": True}],
    )
    def test_what_makes_no_sense_is_refused(self, owner: Member, change: dict[str, Any]) -> None:
        query = as_moderator(owner, owner)
        assert refused(owner.ask("PATCH", "/helix/chat/settings", params=query, json=change))[0] == 400

    def test_automod_is_set_by_category_or_as_a_whole(self, owner: Member, viewer: Member) -> None:
        path, query = "/helix/moderation/automod/settings", as_moderator(owner, owner)
        assert made(owner.ask("GET", path, params=query))["overall_level"] == 0
        some = made(owner.ask("PUT", path, params=query, json={"bullying": 3, "block_links": True}))
        assert (some["overall_level"], some["bullying"], some["swearing"]) == (None, 3, 0)
        whole = made(owner.ask("PUT", path, params=query, json={"overall_level": 2}))
        assert (whole["overall_level"], whole["swearing"], whole["block_links"]) == (2, 2, True)
        both = {"overall_level": 2, "bullying": 1}
        assert refused(owner.ask("PUT", path, params=query, json=both))[0] == 400
        assert refused(viewer.ask("GET", path, params=as_moderator(viewer, owner))) == (403, "unauthorised")

    def test_terms_are_blocked_and_freed(self, owner: Member) -> None:
        path, query = "/helix/moderation/blocked_terms", as_moderator(owner, owner)
        added = owner.ask("POST", path, params=query, json={"text": "the  end*"}, key="term")
        term = made(added)
        assert term["text"] == "the end*"
        assert made(owner.ask("POST", path, params=query, json={"text": "the  end*"}, key="term")) == term
        assert refused(owner.ask("POST", path, params=query, json={"text": "THE END*"})) == (409, "already_blocked")
        assert listed(owner.ask("GET", path, params=query, after=added.headers["Tally-Consistency"])) == [term]
        freed = done(owner.ask("DELETE", path, params={**query, "id": term["id"]}))
        assert listed(owner.ask("GET", path, params=query, after=freed)) == []

    def test_the_shield_remembers_who_raised_it(self, owner: Member, viewer: Member) -> None:
        path, query = "/helix/moderation/shield_mode", as_moderator(owner, owner)
        assert made(owner.ask("GET", path, params=query))["last_activated_at"] is None
        raised = made(owner.ask("PUT", path, params=query, json={"is_active": True}))
        assert (raised["is_active"], raised["moderator_login"]) == (True, owner.login)
        assert made(say(viewer, owner, "hello"))["drop_reason"]["code"] == "msg_followersonly"
        lowered = made(owner.ask("PUT", path, params=query, json={"is_active": False}))
        assert lowered == {**raised, "is_active": False}


class TestHeldMessages:
    PATH = "/helix/moderation/automod/message"

    def held(self, edge: Edge, owner: Member, viewer: Member, message_id: str) -> str:
        facts: dict[str, Any] = {
            "event_id": message_id,
            "occurred_at": datetime.now(UTC),
            "actor": "system:tests",
            "correlation_id": "tests",
            "channel_id": owner.id,
            "message_id": message_id,
            "sender_id": viewer.id,
            "sender_login": viewer.login,
            "text": "you fool",
            "rule": "category",
            "category": "bullying",
            "level": 2,
            "score": 0.5,
        }
        return edge.append(MessageHeld(**facts))

    def test_moderators_see_what_waits_and_why(self, edge: Edge, owner: Member, viewer: Member) -> None:
        seen = self.held(edge, owner, viewer, f"held-{owner.id}")
        (shown,) = listed(owner.ask("GET", self.PATH, params=as_moderator(owner, owner), after=seen))
        assert (shown["message"], shown["rule"], shown["category"]) == ("you fool", "category", "bullying")
        assert refused(viewer.ask("GET", self.PATH, params=as_moderator(viewer, owner))) == (403, "unauthorised")

    def test_what_is_not_held_cannot_be_allowed(self, owner: Member, viewer: Member) -> None:
        decision = {"user_id": owner.id, "msg_id": "nothing", "action": "ALLOW"}
        assert refused(owner.ask("POST", self.PATH, json=decision)) == (404, "unknown_held_message")
        assert refused(viewer.ask("POST", self.PATH, json=decision))[0] == 403


class TestAuditLog:
    def actions(self, reader: Member, channel: Member, after: str = "", **query: Any) -> list[dict[str, Any]]:
        return listed(reader.ask("GET", ACTIONS, params={"broadcaster_id": channel.id, **query}, after=after))

    def test_it_says_who_did_what_to_whom_and_why(self, owner: Member, moderator: Member, viewer: Member) -> None:
        appoint(owner, moderator)
        made(ban(moderator, owner, viewer, duration=60, reason="spam and links"))
        seen = done(moderator.ask("DELETE", BANS, params=as_moderator(moderator, owner, user_id=viewer.id)))
        whole = self.actions(owner, owner, after=seen)
        assert [shown["action"] for shown in whole] == ["unban", "timeout", "mod"]
        timeout = whole[1]
        assert (timeout["moderator_login"], timeout["user_login"]) == (moderator.login, viewer.login)
        assert timeout["reason"] == "spam and links"
        assert timeout["undone_at"] is None

    def test_it_is_searched(self, owner: Member, moderator: Member, viewer: Member) -> None:
        appoint(owner, moderator)
        made(ban(moderator, owner, viewer, duration=60, reason="spam and links"))
        last = ban(owner, owner, viewer, duration=90, reason="rude to others").headers["Tally-Consistency"]
        began = self.actions(owner, owner, after=last)[0]["acted_at"]
        for query, reasons in (
            ({"moderator_id": moderator.id}, ["spam and links"]),
            ({"user_id": viewer.id}, ["rude to others", "spam and links"]),
            ({"action": ["mod", "unmod"]}, [""]),
            ({"reason": "links spam"}, ["spam and links"]),
            ({"reason": "link"}, []),
            ({"started_at": began}, ["rude to others"]),
            ({"ended_at": began}, ["spam and links", ""]),
        ):
            assert [shown["reason"] for shown in self.actions(owner, owner, **query)] == reasons

    def test_what_users_took_back_of_their_own_is_not_in_it(self, owner: Member, viewer: Member) -> None:
        said = made(say(viewer, owner, "hello"))["message_id"]
        query = as_moderator(viewer, owner, message_id=said)
        seen = done(viewer.ask("DELETE", "/helix/moderation/chat", params=query))
        assert self.actions(owner, owner, after=seen) == []

    def test_pages_go_on_across_both_topics(self, owner: Member, viewer: Member) -> None:
        said = made(say(viewer, owner, "hello"))["message_id"]
        done(owner.ask("DELETE", "/helix/moderation/chat", params=as_moderator(owner, owner, message_id=said)))
        banned = ban(owner, owner, viewer, duration=60).headers["Tally-Consistency"]
        self.actions(owner, owner, after=banned)
        seen = done(owner.ask("DELETE", "/helix/moderation/chat", params=as_moderator(owner, owner)))
        names: list[str] = []
        query: dict[str, Any] = {"broadcaster_id": owner.id, "first": 1}
        for _ in range(3):
            page = owner.ask("GET", ACTIONS, params=query, after=seen).json()
            names += [shown["action"] for shown in page["data"]]
            query["after"] = page["pagination"].get("cursor")
        assert names == ["clear", "timeout", "delete"]
        assert query["after"] is None

    def test_what_an_undo_covered_says_so(self, owner: Member, moderator: Member, viewer: Member) -> None:
        appoint(owner, moderator)
        began = datetime.now(UTC).isoformat()
        made(ban(moderator, owner, viewer))
        wish = {"broadcaster_id": owner.id, "user_id": moderator.id, "started_at": began}
        undone = done(
            owner.ask("POST", "/helix/moderation/undo", json={**wish, "ended_at": datetime.now(UTC).isoformat()})
        )
        assert made(say(viewer, owner, "back again"))["is_sent"] is True
        whole = self.actions(owner, owner, after=undone)
        assert {shown["action"] for shown in whole} == {"undo", "unban", "ban", "mod"}
        assert {shown["action"] for shown in whole if shown["undone_at"]} == {"ban"}

    def test_viewers_do_not_see_it(self, owner: Member, viewer: Member) -> None:
        query = {"broadcaster_id": owner.id}
        assert refused(viewer.ask("GET", ACTIONS, params=query)) == (403, "unauthorised")
