"""What PDF/X-4 (ISO 15930-7) asks of a document beyond its pages: output intent and metadata.

Nothing depends on the time: dates are that of Unix' epoch, and identifiers are hashes.
"""

import hashlib
import io
import uuid
from dataclasses import dataclass
from typing import BinaryIO
from xml.sax.saxutils import escape, unescape

from render.pictures.pdf_objects import Dictionary, Name, Reference

_VERSION = "PDF/X-4"

_PRODUCER = "Dreamfarm"

_XMP_DATE, _PDF_DATE = "1970-01-01T00:00:00Z", "D:19700101000000Z"

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfxid="http://www.npes.org/pdfx/ns/id/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{identity}</rdf:li></rdf:Alt></dc:description>
<pdf:Producer>{producer}</pdf:Producer>
<pdf:Trapped>False</pdf:Trapped>
<pdfxid:GTS_PDFXVersion>{version}</pdfxid:GTS_PDFXVersion>
<xmp:CreatorTool>{producer}</xmp:CreatorTool>
<xmp:CreateDate>{date}</xmp:CreateDate>
<xmp:ModifyDate>{date}</xmp:ModifyDate>
<xmp:MetadataDate>{date}</xmp:MetadataDate>
<xmpMM:DocumentID>uuid:{document}</xmpMM:DocumentID>
<xmpMM:VersionID>1</xmpMM:VersionID>
<xmpMM:RenditionClass>default</xmpMM:RenditionClass>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""

_IDENTITY = (
    b'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">',
    b"</rdf:li></rdf:Alt></dc:description>",
)

_MAX_METADATA = 1 << 25
"""The metadata is among the first objects of a file, and ends within so many bytes."""


@dataclass(frozen=True)
class Metadata:
    """The metadata of a document. identity: see `Labels`. title: printable ASCII."""

    title: str
    identity: str

    @property
    def file_id(self) -> bytes:
        """16 bytes that other documents do not have."""
        return hashlib.sha256(f"{self.title}\n{self.identity}".encode()).digest()[:16]

    def info(self) -> Dictionary:
        """The information dictionary; it says the same as `xmp`."""
        return {
            "Title": self.title,
            "Producer": _PRODUCER,
            "Creator": _PRODUCER,
            "CreationDate": _PDF_DATE,
            "ModDate": _PDF_DATE,
            "Trapped": Name("False"),
            "GTS_PDFXVersion": _VERSION,
        }

    def xmp(self) -> bytes:
        """The packet of XMP."""
        packet = _XMP.format(
            title=escape(self.title),
            identity=escape(self.identity),
            producer=_PRODUCER,
            version=_VERSION,
            date=_XMP_DATE,
            document=uuid.UUID(bytes=self.file_id, version=4),
        )
        return packet.encode()


def read_pdf_identity(file: BinaryIO) -> bytes | None:
    """The identity in a PDF that `pdf_parts` made; None in any other."""
    file.seek(0)
    _, start, rest = file.read(_MAX_METADATA).partition(_IDENTITY[0])
    text, end, _ = rest.partition(_IDENTITY[1])
    return unescape(text.decode("utf-8", "replace")).encode() if start and end else None


def profile_name(profile: bytes | None) -> str:
    """The name of an ICC profile in printable ASCII; None is sRGB."""
    if profile is None:
        return "sRGB"
    # Imported here because only a printer's profile needs it.
    from PIL import ImageCms

    name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    return name.encode("ascii", "replace").decode().strip() or "CMYK"


def output_intent(profile: Reference, name: str) -> Dictionary:
    """The output intent: the colours that the document was made for. name: of the profile."""
    return {
        "Type": Name("OutputIntent"),
        "S": Name("GTS_PDFX"),
        "OutputConditionIdentifier": "Custom",
        "OutputCondition": name,
        "Info": name,
        "RegistryName": "http://www.color.org",
        "DestOutputProfile": profile,
    }
