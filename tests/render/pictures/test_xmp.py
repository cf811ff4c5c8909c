"""The orientation in XMP: by the namespace of the property, whatever its prefix."""

import time

import pytest

from render.pictures.xmp import xmp_orientation

TIFF, OTHER = b"http://ns.adobe.com/tiff/1.0/", b"http://example.org/"
RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"

BOMB = (
    b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaaaaaaaa'>"
    + b"".join(
        b"<!ENTITY %c '%s'>" % (98 + depth, b"&%c;" % (97 + depth) * 16) for depth in range(9)
    )
    + b"]><x>&j;</x>"
)


def packet(properties: bytes) -> bytes:
    """A packet whose prefixes are not declared, as some writers make them."""
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description '
        + properties
        + b"</rdf:Description></x:xmpmeta>"
    )


def well_formed(description: bytes) -> bytes:
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="'
        + RDF
        + b'">'
        + description
        + b'</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
    )


@pytest.mark.parametrize(
    ("description", "orientation"),
    [
        (b'<rdf:Description xmlns:tiff="%s" tiff:Orientation="6"/>' % TIFF, 6),
        (b'<rdf:Description xmlns:t="%s" t:Orientation="6"/>' % TIFF, 6),
        (b"<rdf:Description xmlns:a-b='%s' a-b:Orientation = '8' />" % TIFF, 8),
        (
            b'<rdf:Description xmlns:n="%s"><n:Orientation> 3\n</n:Orientation></rdf:Description>'
            % TIFF,
            3,
        ),
        (b'<rdf:Description><Orientation xmlns="%s">5</Orientation></rdf:Description>' % TIFF, 5),
        # The customary prefix, bound to something else.
        (b'<rdf:Description xmlns:tiff="%s" tiff:Orientation="6"/>' % OTHER, None),
        (
            b'<r xmlns:tiff="%s" xmlns:t="%s" tiff:Orientation="6" t:Orientation="3"/>'
            % (OTHER, TIFF),
            3,
        ),
        # In a comment.
        (b'<!-- tiff:Orientation="6" --><rdf:Description/>', None),
        # No orientation.
        (b'<rdf:Description xmlns:tiff="%s" tiff:Orientation="9"/>' % TIFF, None),
        (b'<rdf:Description xmlns:tiff="%s" tiff:Orientation="66"/>' % TIFF, None),
        (b'<rdf:Description xmlns:tiff="%s" Orientation="6"/>' % TIFF, None),
    ],
)
def test_the_namespace_counts(description: bytes, orientation: int | None) -> None:
    whole = well_formed(description)
    assert xmp_orientation(whole) == orientation
    assert xmp_orientation(whole.decode().encode("utf-16")) == orientation
    # Padding with zeros, as some writers leave it.
    if orientation is not None:
        assert xmp_orientation(whole + b"\0" * 20) == orientation


def test_a_packet_that_is_cut_off_states_what_it_has() -> None:
    whole = well_formed(b'<rdf:Description xmlns:t="%s" t:Orientation="6"/>' % TIFF)
    assert xmp_orientation(whole[: whole.index(b"</rdf:RDF>")]) == 6


def test_xmp_without_an_orientation_states_none() -> None:
    assert xmp_orientation(packet(b'tiff:Orientations="6">')) is None
    assert xmp_orientation(b"") is None


@pytest.mark.parametrize(
    "hostile",
    [
        b"tiff:Orientation" + b" " * 2**20,
        b"tiff:Orientation=" + b" " * 2**20,
        b"tiff:Orientation>" + b" " * 2**20,
        b"tiff:Orientation a" * 2**16,
        (b"tiff:Orientation" + b" " * 20) * 2**15,
        (b"tiff:Orientation" + b" " * 220) * 2**12,
        b"tiff:Orientation" * 2**20,
        b"<a>" * 2**18,
        b"<a " + b" ".join(b'b%d="c"' % number for number in range(2**16)) + b">",
        BOMB,
    ],
)
def test_hostile_xmp_takes_no_time(hostile: bytes) -> None:
    begin = time.process_time()
    assert xmp_orientation(hostile) is None
    assert time.process_time() - begin < 1


def test_broken_xmp_is_read_by_the_customary_prefix() -> None:
    for text in (b"tiff:Orientation a='b' >\n 3 <", b"tiff:Orientation\n=\n'3'"):
        assert xmp_orientation(text) == 3
    assert xmp_orientation(b"tiff:Orientation a>b>3<") is None
