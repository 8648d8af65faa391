"""The watch page's chat: live, hostile words, moderation, waiting, and coming back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from commands.identity import new_id
from schemas.events.chat import MessageSent
from tests.query_api.asking import appoint, as_moderator, done, listed, made, say
from tests.query_api.chatting import Chat
from tests.query_api.conftest import Edge, Member, eventually
from tests.query_api.pages.visiting import HOSTILE, SOON_MS, Visit

pytestmark = [pytest.mark.stack, pytest.mark.browser]

ZALGO = "Z" + "\u0334\u0335\u0336\u0337\u0338" * 80
BACKWARDS = "\u202eevil\u202e"


@pytest.fixture
def owner(edge: Edge) -> Member:
    return edge.register(display_name=HOSTILE[:25])


@pytest.fixture(scope="module")
def viewer(edge: Edge) -> Member:
    return edge.register()


def chatting(edge: Edge, channel: Member, page: Page, who: Member | None = None) -> None:
    """Open the watch page, signed in or not, until the chat is connected."""
    if who is not None:
        user = json.dumps({"id": who.id, "login": who.login, "token": who.token})
        page.add_init_script(f"sessionStorage.setItem('tally.session', {json.dumps(user)})")
    with page.expect_websocket():
        page.goto(f"{edge.url}/watch/{channel.login}")
    expect(page.locator("#chat-state")).to_have_text("", timeout=SOON_MS)
    expect(page.locator("#text")).to_be_visible()


def send(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.keyboard.press("Enter")


def moderating(edge: Edge, owner: Member, page: Page) -> None:
    """The same as a moderator: what answers reads may learn of it a moment after the decider has answered."""
    moderator = edge.register()
    appointed = appoint(owner, moderator)
    query = as_moderator(moderator, owner)
    listed(moderator.ask("GET", "/helix/moderation/automod/message", after=appointed, params=query))
    chatting(edge, owner, page, moderator)
    expect(page.locator("#moderation-home summary")).to_be_visible(timeout=SOON_MS)


def test_who_is_made_a_moderator_in_the_room_gets_the_tools_and_loses_them_again(
    edge: Edge, owner: Member, visit: Visit
) -> None:
    page, member = visit.page, edge.register()
    chatting(edge, owner, page, member)
    tools = page.locator("#moderation-home summary")
    query = {"broadcaster_id": owner.id, "user_id": member.id}
    for policy in ("public", "private"):
        assert tools.count() == 0
        appoint(owner, member)
        expect(tools).to_be_visible(timeout=SOON_MS)
        of_owner, wish = {"broadcaster_id": owner.id}, {"playback_policy": policy}
        done(owner.ask("PATCH", "/helix/channels", params=of_owner, json=wish))
        done(owner.ask("DELETE", "/helix/moderation/moderators", params=query))
        expect(tools).to_have_count(0, timeout=SOON_MS)
    expect(page.locator("#chat-error")).to_contain_text("private")


def act_on_last(page: Page, action: str) -> None:
    """By the keyboard alone. What was said before may come into the list just now, and take the focus from a line."""
    item = page.get_by_role("menuitem", name=action, exact=True)
    last = page.locator("#messages li").last
    expect(last).to_be_visible()
    for _ in range(10):
        last.focus()
        page.keyboard.press("Enter")
        try:
            item.wait_for(timeout=2_000)
        except NotInTime:
            page.keyboard.press("Escape")
        else:
            break
    item.press("Enter")


def test_hostile_names_words_and_emote_names_stay_words(
    edge: Edge, owner: Member, viewer: Member, visit: Visit
) -> None:
    page = visit.page
    page.set_viewport_size({"width": 320, "height": 640})
    chatting(edge, owner, page)
    event = MessageSent(
        type="MessageSent",
        event_id=new_id(),
        occurred_at=datetime.now(UTC),
        actor=viewer.id,
        correlation_id=new_id(),
        channel_id=owner.id,
        message_id=new_id(),
        sender_id=viewer.id,
        sender_login=viewer.login,
        sender_name=HOSTILE,
        text=f"{HOSTILE} {BACKWARDS} {ZALGO} {'W' * 200}",
        emotes=f'"><img src=x onerror=alert(1)>:0-{len(HOSTILE) - 1}',
    )
    edge.append(event)
    line = page.locator("#messages li").last
    expect(line).to_contain_text("evil", timeout=SOON_MS)
    expect(line.locator("b")).to_have_text(HOSTILE)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#messages script, #messages img[onerror]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert line.evaluate("line => getComputedStyle(line).overflow") == "hidden"
    assert line.locator(".text").evaluate("text => getComputedStyle(text).unicodeBidi") == "isolate"


def test_what_is_said_is_shown_with_pictures_mentions_replies_and_reactions(
    edge: Edge, owner: Member, viewer: Member, visit: Visit
) -> None:
    page = visit.page
    chatting(edge, owner, page, viewer)
    first = made(say(owner, owner, f"hello @{viewer.login} :wave:"))["message_id"]
    line = page.locator(f"#messages li[data-id='{first}']")
    expect(line.locator("img.emote")).to_have_attribute("alt", ":wave:", timeout=SOON_MS)
    expect(line.locator("img.badge")).to_have_attribute("alt", "Broadcaster")
    expect(line.locator("mark.me")).to_have_text(f"@{viewer.login}")
    act_on_last(page, "Reply")
    send(page, "hello back")
    expect(page.locator("#messages li").last.locator(".parent")).to_contain_text("hello @", timeout=SOON_MS)
    expect(page.locator("#text")).to_have_value("")
    act_on_last(page, "React …")
    page.get_by_role("button", name=":fire:", exact=True).click()
    expect(page.locator("#messages li").last.locator(".reaction")).to_contain_text("1", timeout=SOON_MS)
    assert page.locator("#moderation-home *").count() == 0
    visit.check(edge.url)


def test_slow_mode_counts_down_what_is_left_to_wait(edge: Edge, owner: Member, viewer: Member, visit: Visit) -> None:
    page = visit.page
    slow = {"slow_mode": True, "slow_mode_wait_time": 60}
    made(owner.ask("PATCH", "/helix/chat/settings", params=as_moderator(owner, owner), json=slow))
    chatting(edge, owner, page, viewer)
    expect(page.locator("#modes")).to_have_text("Slow mode: 60 s", timeout=SOON_MS)
    made(say(viewer, owner, "from elsewhere"))
    send(page, "too soon")
    expect(page.locator("#chat-error")).to_have_text("The chat is in slow mode.", timeout=SOON_MS)
    button = page.locator("#say .send")
    expect(button).to_be_disabled()
    shown = button.text_content() or ""
    assert re.fullmatch(r"Wait \d+ s", shown)
    expect(button).not_to_have_text(shown, timeout=SOON_MS)
    expect(page.locator("#text")).to_have_value("too soon")


def test_a_moderator_deletes_times_out_warns_clears_and_sets_modes(edge: Edge, owner: Member, visit: Visit) -> None:
    page, loud = visit.page, edge.register()
    moderating(edge, owner, page)
    last = page.locator("#messages li").last
    made(say(loud, owner, "first"))
    expect(last).to_contain_text("first", timeout=SOON_MS)
    act_on_last(page, "Delete message")
    expect(last).to_contain_text("Message deleted", timeout=SOON_MS)
    made(say(loud, owner, "second"))
    expect(last).to_contain_text("second", timeout=SOON_MS)
    act_on_last(page, "Warn …")
    page.fill("#warn-form input", "Be kind")
    page.keyboard.press("Enter")
    expect(page.locator("#warn-form")).to_be_hidden(timeout=SOON_MS)
    assert made(say(loud, owner, "third"))["drop_reason"]["code"] == "msg_warned"
    act_on_last(page, "Time out for 10 minutes")
    expect(last).to_have_text(f"{loud.login} was timed out for 600 s.", timeout=SOON_MS)
    assert made(say(loud, owner, "fourth"))["drop_reason"]["code"] == "msg_timedout"
    page.get_by_text("Moderation").click()
    page.check("#mode-emotes")
    expect(page.locator("#modes")).to_have_text("Emotes only", timeout=SOON_MS)
    page.click("#clear-chat")
    expect(page.locator("#messages li")).to_have_text(["The chat was cleared."], timeout=SOON_MS)
    visit.check(edge.url)


def test_a_moderator_allows_what_automod_holds(edge: Edge, owner: Member, viewer: Member, visit: Visit) -> None:
    page = visit.page
    query = as_moderator(owner, owner)
    made(owner.ask("PUT", "/helix/moderation/automod/settings", params=query, json={"swearing": 4}))
    chatting(edge, owner, page, owner)
    assert made(say(viewer, owner, "what the fuck"))["is_sent"] is False
    held = page.locator("#held li")
    expect(held).to_contain_text("what the fuck", timeout=SOON_MS)
    held.get_by_role("button", name="Allow").click()
    expect(page.locator("#messages li").last).to_contain_text("what the fuck", timeout=SOON_MS)
    expect(held).to_have_count(0)
    visit.check(edge.url)


def test_who_was_warned_reads_why_and_goes_on(edge: Edge, owner: Member, visit: Visit) -> None:
    page, warned = visit.page, edge.register()
    warning = {"data": {"user_id": warned.id, "reason": "<b>Be kind</b>"}}
    made(owner.ask("POST", "/helix/moderation/warnings", params=as_moderator(owner, owner), json=warning))
    chatting(edge, owner, page, warned)
    send(page, "and now?")
    expect(page.locator("#warning-text")).to_have_text("<b>Be kind</b>", timeout=SOON_MS)
    page.click("#warning-read")
    expect(page.locator("#warning")).to_be_hidden(timeout=SOON_MS)
    page.focus("#text")
    page.keyboard.press("Enter")
    expect(page.locator("#messages li").last).to_contain_text("and now?", timeout=SOON_MS)


@pytest.mark.faults
def test_a_killed_chat_process_loses_nothing_and_repeats_nothing(
    edge: Edge, chat: Chat, owner: Member, visit: Visit
) -> None:
    page = visit.page
    chatting(edge, owner, page, owner)
    texts = [f"number {number}" for number in range(9)]
    for text in texts[:3]:
        made(say(owner, owner, text))
    chat.kill_and_restart()
    for text in texts[3:6]:
        made(say(owner, owner, text))
    send(page, texts[6])  # before the process is back: the page says it once it is
    chat.wait()
    expect(page.locator("#text")).to_have_value("", timeout=SOON_MS)
    for text in texts[7:]:
        made(say(owner, owner, text))
    shown = page.locator("#messages .text")
    eventually(lambda: texts[-1] in shown.all_text_contents())
    assert shown.all_text_contents() == texts


def test_the_list_is_bounded_and_does_not_move_under_who_reads_further_up(
    edge: Edge, owner: Member, viewer: Member, visit: Visit
) -> None:
    page = visit.page
    chatting(edge, owner, page)

    def event(number: int) -> MessageSent:
        return MessageSent(
            type="MessageSent",
            event_id=new_id(),
            occurred_at=datetime.now(UTC),
            actor=viewer.id,
            correlation_id=new_id(),
            channel_id=owner.id,
            message_id=new_id(),
            sender_id=viewer.id,
            sender_login=viewer.login,
            text=f"text {number}",
        )

    edge.append(*(event(number) for number in range(230)))
    expect(page.locator("#messages li").last).to_contain_text("text 229", timeout=SOON_MS)
    assert page.locator("#messages li").count() == 200
    expect(page.locator("#messages li").last).to_be_in_viewport()
    page.evaluate("document.getElementById('messages').scrollTop = 0")
    edge.append(event(230))
    expect(page.locator("#newer")).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#messages li").last).not_to_be_in_viewport()
    page.click("#newer")
    expect(page.locator("#messages li").last).to_be_in_viewport()


def test_who_may_not_be_in_the_room_any_more_is_told_why(
    edge: Edge, owner: Member, viewer: Member, visit: Visit
) -> None:
    page = visit.page
    chatting(edge, owner, page, viewer)
    change, own = {"playback_policy": "private"}, {"broadcaster_id": owner.id}
    done(owner.ask("PATCH", "/helix/channels", params=own, json=change))
    expect(page.locator("#chat-state")).to_have_text("Not connected", timeout=SOON_MS)
    expect(page.locator("#chat-error")).to_have_text("This stream is private. Ask the streamer for a link.")
    made(say(owner, owner, "among us"))
    send(page, "let me in")
    expect(page.locator("#text")).to_have_value("let me in")
    expect(page.locator("#messages li")).to_have_count(0)
