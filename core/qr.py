"""An address as a QR code, for a telephone to read off a screen or a sheet."""

import io


def svg(address: str) -> str:
    """The code as an SVG."""
    # Brings a whole library of pictures along (0.15 s), which no page needs to come up.
    import qrcode.image.svg  # noqa: PLC0415

    drawn = io.BytesIO()
    qrcode.make(address, image_factory=qrcode.image.svg.SvgPathFillImage, border=2).save(drawn)
    return drawn.getvalue().decode()
