"""What a publisher that stands by has ready is enough to begin with, and bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.media.became import RefusedMedia
from ingest.media.gathering import TAG_OVERHEAD
from ingest.media.tag import MediaTag
from ingest.publishing import reserve
from ingest.publishing.reserve import Reserve
from tests.ingest.media.footage import is_frame, is_keyframe, record


def is_end(tag: MediaTag) -> bool:
    """An end of sequence, which FLV files have and streams have not."""
    return tag.kind == "video" and tag.payload[:2] == b"\x17\x02"


@pytest.mark.parametrize("video", ["libx264", "libx265", "libsvtav1"])
def test_it_begins_with_the_headers_and_the_latest_keyframe(video: str) -> None:
    kept = Reserve()
    tags = [tag for tag in record(3.5, gop=30, video=video) if not is_end(tag)]
    for tag in tags:
        kept.keep(tag)
    taken = kept.take()
    headers = [tag for tag in taken if not is_frame(tag)]
    assert [tag.kind for tag in headers if tag.kind != "data"] == ["video", "audio"]
    first = taken[len(headers)]
    assert is_keyframe(first)
    assert first.timestamp_ms == max(tag.timestamp_ms for tag in tags if is_keyframe(tag))
    assert taken[len(headers) :] == [tag for tag in tags[tags.index(first) :] if is_frame(tag)]


def test_on_the_air_only_the_headers_are_kept() -> None:
    kept = Reserve()
    for tag in record():
        kept.note(tag)
    assert not kept.ready
    assert not any(is_frame(tag) for tag in kept.take())


def test_a_new_header_drops_what_was_made_for_the_old_one() -> None:
    kept = Reserve()
    for tag in record(size=(640, 360)):
        kept.keep(tag)
    new = next(tag for tag in record() if tag.kind == "video")
    kept.keep(new)
    assert not kept.ready
    assert not any(is_frame(tag) for tag in kept.take())
    assert new in kept.take()


def test_sound_alone_begins_anywhere() -> None:
    kept = Reserve()
    begun = [kept.keep(tag) for tag in record(video="") if is_frame(tag) or tag.kind == "audio"]
    assert any(begun)
    assert len([tag for tag in kept.take() if is_frame(tag)]) == 1


def test_what_is_taken_is_gone_and_the_headers_stay() -> None:
    kept = Reserve()
    for tag in record():
        kept.keep(tag)
    assert kept.ready
    headers = [tag for tag in kept.take() if not is_frame(tag) and not is_end(tag)]
    assert kept.take() == headers


def test_a_gop_without_end_is_let_go_of_until_the_next_keyframe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve, "GOP_MAX", 20_000)
    kept = Reserve()
    tags = record(20, gop=10_000, size=(64, 48))
    for tag in tags:
        kept.keep(tag)
    assert not kept.ready
    assert kept.keep(next(tag for tag in tags if is_keyframe(tag)))
    assert kept.ready


def test_media_that_is_not_taken_is_refused_while_standing_by() -> None:
    with pytest.raises(RefusedMedia, match="VP9"):
        Reserve().keep(MediaTag("video", 0, b"\x91vp09" + bytes(10)))


bodies = st.one_of(
    st.binary(max_size=12),
    st.binary(max_size=3000).map(lambda rest: b"\x17\x01\x00\x00\x00" + rest),
    st.binary(max_size=3000).map(lambda rest: b"\x27\x01\x00\x00\x00" + rest),
    st.binary(max_size=3000).map(lambda rest: b"\x17\x00\x00\x00\x00" + rest),
)
tags = st.builds(MediaTag, st.sampled_from(["audio", "video", "data"]), st.integers(0, 1 << 33), bodies)


@settings(max_examples=100, deadline=None)
@given(st.lists(tags, max_size=60))
def test_whatever_comes_it_holds_a_gop_and_three_headers_at_most(sent: list[MediaTag]) -> None:
    kept = Reserve()
    limit = 8_000
    before, reserve.GOP_MAX = reserve.GOP_MAX, limit
    try:
        for tag in sent:
            try:
                kept.keep(tag)
            except RefusedMedia:
                break
    finally:
        reserve.GOP_MAX = before
    taken = kept.take()
    assert sum(len(tag.payload) + TAG_OVERHEAD for tag in taken) <= limit + 3 * (reserve.HEADER_MAX + TAG_OVERHEAD)
