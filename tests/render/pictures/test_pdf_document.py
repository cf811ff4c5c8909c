"""PDFs: the right size, the right pixels, what PDF/X-4 asks for, and nothing that time changes."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

from render.errors import OutputError
from render.pictures.bands import BandStream
from render.pictures.encoding import Encoding
from render.pictures.ink import Press
from render.pictures.output_format import Labels
from render.pictures.pdf_document import EXACT, PdfPicture, write_pdf
from render.pictures.pdf_page import trimmed_page
from render.pictures.pdf_x import read_pdf_identity
from tests.support.pdf_files import box_in_mm, pdf_samples, tool_says
from tests.support.picture_files import gradient_samples, noise_samples

IDENTITY = '{"look": "a (b) \\\\ <c> & \\"d\\""}'
LABELS = Labels(254.0, IDENTITY)
BLEED = 30
"""3 mm at 254 dpi, which is ten pixels a millimetre."""


def write(
    path: Path,
    picture: np.ndarray,
    *,
    marks: bool = False,
    rows: int = 64,
    threads: int = 1,
    encoding: Encoding = EXACT,
) -> Path:
    bands = (picture[y : y + rows] for y in range(0, len(picture), rows))
    page = trimmed_page(picture.shape[:2], BLEED, 254, marks=marks)
    height, width, channels = picture.shape
    stream = BandStream(height, width, 8, bands, channels)
    write_pdf(path, "sky", [PdfPicture(page, stream)], LABELS, encoding, threads)
    return path


@pytest.mark.parametrize("marks", [False, True])
def test_boxes_have_the_size_on_paper(tmp_path: Path, marks: bool) -> None:
    path = write(tmp_path / "a.pdf", gradient_samples(260, 460), marks=marks)
    trim, bleed, media = (box_in_mm(path, f"{one}Box") for one in ("Trim", "Bleed", "Media"))
    assert trim[2] - trim[0] == pytest.approx(40, abs=1e-5)
    assert trim[3] - trim[1] == pytest.approx(20, abs=1e-5)
    assert bleed == pytest.approx((trim[0] - 3, trim[1] - 3, trim[2] + 3, trim[3] + 3), abs=1e-5)
    around = 8 if marks else 0
    assert media == pytest.approx((0, 0, 46 + 2 * around, 26 + 2 * around), abs=1e-5)
    assert bleed[:2] == pytest.approx((around, around), abs=1e-5)


def test_pixels_come_back_exactly(tmp_path: Path) -> None:
    picture = noise_samples(300, 401)
    np.testing.assert_array_equal(pdf_samples(write(tmp_path / "a.pdf", picture)), picture)


def test_pixels_for_a_press_come_back_exactly_with_its_profile(tmp_path: Path) -> None:
    press = Press(None)
    inks = press.inks(gradient_samples(90, 120))
    path = write(tmp_path / "a.pdf", inks, encoding=Encoding(profile=press.content()))
    np.testing.assert_array_equal(pdf_samples(path), inks)
    with pikepdf.open(path) as pdf:
        (intent,) = pdf.Root.OutputIntents
        assert intent.DestOutputProfile.read_bytes() == press.content()
        assert intent.DestOutputProfile.N == 4
        assert intent.OutputCondition == "Chemical proof"
        assert pdf.pages[0].get_images()["/Im0"].ColorSpace == "/DeviceCMYK"


def test_a_quality_makes_a_jpeg_with_every_colour_sample(tmp_path: Path) -> None:
    picture = gradient_samples(300, 401)
    path = write(tmp_path / "a.pdf", picture, encoding=Encoding(quality=95))
    with pikepdf.open(path) as pdf:
        image = pdf.pages[0].get_images()["/Im0"]
        assert image.Filter == "/DCTDecode"
        shown = Image.open(io.BytesIO(image.read_raw_bytes()))
    assert np.abs(np.asarray(shown) - picture.astype(int)).mean() < 1
    assert path.stat().st_size < write(tmp_path / "b.pdf", picture).stat().st_size


def test_the_document_says_what_x4_asks_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", gradient_samples(90, 120))
    with pikepdf.open(path) as pdf:
        assert pdf.pdf_version == "1.6"
        assert pdf.docinfo["/GTS_PDFXVersion"] == "PDF/X-4"
        assert pdf.docinfo["/Trapped"] == "/False"
        with pdf.open_metadata() as metadata:
            assert metadata["pdfxid:GTS_PDFXVersion"] == "PDF/X-4"
            assert metadata["pdf:Trapped"] == "False"
            assert metadata["dc:title"] == "sky"
            assert metadata["dc:description"] == IDENTITY
            for name in ("CreateDate", "ModifyDate", "MetadataDate"):
                assert metadata[f"xmp:{name}"] == "1970-01-01T00:00:00Z"
            for name in ("DocumentID", "VersionID", "RenditionClass"):
                assert metadata[f"xmpMM:{name}"]
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == "/GTS_PDFX"
        assert intent.DestOutputProfile.read_bytes()[16:20] == b"RGB "
        assert len(pdf.trailer.ID) == 2


def test_the_identity_is_read_without_the_pixels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", noise_samples(300, 401))
    with path.open("rb") as file:
        assert read_pdf_identity(file) == IDENTITY.encode()
    other = tmp_path / "other.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(other)
    with other.open("rb") as file:
        assert read_pdf_identity(file) is None


@pytest.mark.parametrize("encoding", [EXACT, Encoding(quality=90)])
def test_bytes_do_not_depend_on_bands_or_threads(tmp_path: Path, encoding: Encoding) -> None:
    picture = noise_samples(530, 1300)
    files = [
        write(tmp_path / f"{n}.pdf", picture, rows=rows, threads=threads, encoding=encoding)
        for n, (rows, threads) in enumerate([(1, 1), (64, 2), (530, 8)])
    ]
    assert len({file.read_bytes() for file in files}) == 1


def test_a_page_longer_than_pdf_allows_is_refused() -> None:
    trimmed_page((50_790, 100), 0, 254, marks=False)
    trimmed_page((50_800, 100), 0, 254, marks=False)
    with pytest.raises(OutputError) as caught:
        trimmed_page((50_860, 100), BLEED, 254, marks=False)
    assert str(caught.value) == (
        "output pdf: its page would be 0.01 x 5.09 m, and a page of a PDF has at most 5.08 m: "
        "cut it into panels, or use tiff"
    )


CASES = {
    "exact": EXACT,
    "jpeg": Encoding(quality=90),
    "press": Encoding(profile=Press(None).content()),
    "press-jpeg": Encoding(quality=90, profile=Press(None).content()),
}


@pytest.fixture(params=CASES)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A PDF of each kind. Its left half is white, its right half is black."""
    encoding = CASES[request.param]
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, :100] = 255
    if encoding.profile is not None:
        picture = Press(None).inks(picture)
    return write(tmp_path / "a.pdf", picture, marks=True, encoding=encoding)


def test_qpdf_finds_no_error(made: Path) -> None:
    said = tool_says("qpdf", "qpdf", "--check", str(made))
    assert "No syntax or stream encoding errors found" in said
    assert "WARNING" not in said


def test_poppler_finds_the_size_and_the_standard(made: Path) -> None:
    said = tool_says("pdfinfo", "poppler-utils", "-box", str(made))
    lines = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    assert lines["PDF subtype"].strip() == "PDF/X-4"
    trim = [float(side) * 25.4 / 72 for side in lines["TrimBox"].split()]
    assert (trim[2] - trim[0], trim[3] - trim[1]) == pytest.approx((14, 4), abs=0.01)
    assert lines["Pages"].strip() == "1"


def test_ghostscript_renders_the_picture_without_a_warning(made: Path, tmp_path: Path) -> None:
    shown = tmp_path / "shown.png"
    options = ("-q", "-dBATCH", "-dNOPAUSE", "-dPDFSTOPONWARNING", "-sDEVICE=png16m", "-r254")
    assert tool_says("gs", "ghostscript", *options, f"-sOutputFile={shown}", str(made)) == ""
    with Image.open(shown) as image:
        pixels = np.asarray(image)
    # Eight millimetres around the bleed are for the marks.
    assert pixels.shape[:2] == (100 + 160, 200 + 160)
    picture = pixels[82:178, 82:278].astype(int)
    assert picture[:, :90].min() > 245
    assert picture[:, 110:].max() < 60
    assert (pixels[:70].min(axis=2) < 128).any(), "marks above the picture"
    assert pixels[72:78].min() == 255, "no mark touches the bleed"


PEAK = """
import sys
from pathlib import Path
import numpy as np
from render.pictures.bands import BandStream
from render.pictures.output_format import Labels
from render.pictures.pdf_document import PdfPicture, write_pdf
from render.pictures.pdf_page import trimmed_page

side = 20_000
band = np.repeat(np.arange(64 * side // 8 * 3, dtype=np.uint8).reshape(64, -1, 3), 8, axis=1)
bands = (band[: min(64, side - y)] for y in range(0, side, 64))
page = trimmed_page((side, side), 0, 300, marks=True)
picture = PdfPicture(page, BandStream(side, side, 8, bands))
write_pdf(Path(sys.argv[1]), "sky", [picture], Labels(300.0, "{}"), threads=2)
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""


@pytest.mark.slow
def test_a_poster_of_400_megapixels_is_never_held(tmp_path: Path, project: Path) -> None:
    path = tmp_path / "a.pdf"
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)],
        capture_output=True,
        text=True,
        cwd=project,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Its samples are 1200 MB.
    assert float(done.stdout) < 250
    assert "No syntax" in tool_says("qpdf", "qpdf", "--check", str(path))
