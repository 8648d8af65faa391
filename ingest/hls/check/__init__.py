"""`tally check-hls`: watches an HLS stream as a player would and judges it by the rules of RFC 8216bis and others.

`observe` looks, `facts` is what it saw, `rules` are pure functions of the facts, `report` shows the verdicts.
Nothing here knows our own origin: it follows URIs.
"""
