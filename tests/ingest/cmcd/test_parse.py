"""CMCD as text: what players send is understood, anything else is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cmcd.parse import MAX_KEYS, MAX_REPORTS, MAX_TEXT, STATES, Cmcd, CmcdError, parse, parse_reports

SID = "6e2fb550-c457-11e9-bb97-0800200c9a66"


def test_version_1_as_its_specification_shows_it() -> None:
    text = 'bl=21300,br=3200,bs,cid="faec5fc2",d=4004,dl=18500,mtp=48100,nor="..%2F300kbps%2F4.m4v",'
    text += f'nrr="12323-48763",ot=v,pr=1.08,rtp=12000,sf=d,sid="{SID}",st=v,su,tb=6000'
    expected = Cmcd(sid=SID, cid="faec5fc2", br=3200, bl=21300, mtp=48100, bs=True, su=True, ot="v")
    assert parse(text) == expected


def test_version_2_lists_a_value_per_object_type() -> None:
    said = parse(f'bl=(4000;v 2500;a),br=(5000;v 128;a),mtp=(25000),sid="{SID}",sta=r,ltc=2100,msd=900,v=2')
    assert (said.br, said.bl, said.mtp) == (5128, 2500, 25000)
    assert (said.sta, said.ltc, said.msd, said.v) == ("r", 2100, 900, 2)


def test_the_headers_in_any_order_are_one_dictionary() -> None:
    headers = ['sid="abcdefgh"', "br=1000,ot=av", "bl=3000, su", "bs"]
    assert parse(",".join(headers)) == parse(",".join(reversed(headers)))


def test_a_custom_key_stands_in_for_a_latency_that_the_player_does_not_send() -> None:
    assert parse('sid="abcdefgh",tally-ltc=1200').ltc == 1200
    assert parse('sid="abcdefgh",ltc=1100,tally-ltc=1200').ltc == 1100


def test_unknown_keys_are_read_over() -> None:
    assert parse('com.example-myKey=(a "b";x=1 ?0),sid="abcdefgh",zz;p="q"') == Cmcd(sid="abcdefgh")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a key is expected at character 0"),
        ("br=1000", "sid is missing"),
        ('sid="short"', "sid is 8 to 64 characters"),
        (f'sid="{"x" * 65}"', "sid is 8 to 64 characters"),
        ('sid="<script>"', "sid is 8 to 64 characters"),
        ('sid="abcdefgh",br=fast', "br is a number"),
        ('sid="abcdefgh",br=-1', "br is a number of 0 to"),
        ('sid="abcdefgh",br=99999999999', "br is a number of 0 to"),
        ('sid="abcdefgh",br=()', "br is a number"),
        ('sid="abcdefgh",bs=1', "bs is true or false"),
        ('sid="abcdefgh",sta=z', "sta is one of"),
        ('sid="abcdefgh",cid=7', "cid is a string"),
        ('sid="abcdefgh",', "a key is expected at character 15"),
        ('sid="abcdefgh" br=1', "a comma is expected at character 15"),
        ('sid="abcdefgh",br=', "a value is expected at character 18"),
        ('sid="abcdefgh",br=(1 2', "a value is expected"),
        ('sid="abcdefgh', "a value is expected at character 4"),
        ('sid="abcdefgh",cid="é"', "not printable ASCII"),
        ('sid="abcdefgh",' + ",".join(f"k{number}" for number in range(MAX_KEYS)), f"more than {MAX_KEYS} keys"),
        ('sid="abcdefgh",nor="' + "x" * MAX_TEXT + '"', f"longer than {MAX_TEXT} characters"),
    ],
)
def test_what_is_not_cmcd_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(CmcdError, match=reason.replace("(", r"\(")):
        parse(text)


def test_reports_are_lines_and_a_bad_one_is_named() -> None:
    good = 'e=t,sid="abcdefgh",ts=1790000000000,v=2'
    assert [report.ts for report in parse_reports(f"{good}\n\n{good}\n".encode())] == [1790000000000] * 2
    with pytest.raises(CmcdError, match="line 2: e and ts are needed"):
        parse_reports(f'{good}\nsid="abcdefgh"\n'.encode())
    with pytest.raises(CmcdError, match="0 reports"):
        parse_reports(b"")
    with pytest.raises(CmcdError, match=f"send 1 to {MAX_REPORTS} at a time"):
        parse_reports((good + "\n").encode() * (MAX_REPORTS + 1))
    with pytest.raises(CmcdError, match="ASCII"):
        parse_reports("é".encode())


IDS = st.text("abcXYZ019_-", min_size=8, max_size=64)
NUMBERS = st.none() | st.integers(0, 2**31 - 1)
SAID = st.builds(
    Cmcd,
    sid=IDS,
    cid=st.just("") | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=128),
    v=st.sampled_from([1, 2]),
    br=NUMBERS,
    bl=NUMBERS,
    mtp=NUMBERS,
    bs=st.booleans(),
    bsd=NUMBERS,
    su=st.booleans(),
    ot=st.sampled_from(["", "m", "a", "v", "av", "i", "tt"]),
    ltc=NUMBERS,
    msd=NUMBERS,
    sta=st.sampled_from(["", *sorted(STATES)]),
    e=st.sampled_from(["", "t", "ps", "bc"]),
    ts=st.none() | st.integers(0, 10**14),
)


def written(said: Cmcd) -> str:
    """A player's way to write it."""
    members = [f'sid="{said.sid}"', f"v={said.v}"]
    if said.cid:
        quoted = said.cid.replace("\\", r"\\").replace('"', r"\"")
        members.append(f'cid="{quoted}"')
    for name in ("br", "bl", "mtp", "bsd", "ltc", "msd", "ts"):
        if (number := getattr(said, name)) is not None:
            members.append(f"{name}={number}")
    members += [f"{name}={getattr(said, name)}" for name in ("ot", "sta", "e") if getattr(said, name)]
    members += [name for name in ("bs", "su") if getattr(said, name)]
    return ",".join(members)


@given(SAID)
def test_whatever_a_player_writes_is_read_back(said: Cmcd) -> None:
    assert parse(written(said)) == said


@given(st.text() | st.text('abrsid="();,?0123456789-. \\', max_size=200))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        parse(text)
    except CmcdError as error:
        assert str(error)


@given(st.binary())
def test_any_body_is_understood_or_refused(body: bytes) -> None:
    try:
        parse_reports(body)
    except CmcdError as error:
        assert str(error)
