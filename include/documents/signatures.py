"""The first bytes by which formats that are no text are told."""

import re

GZIP = "application/gzip"
OLE = "application/x-ole-storage"
PGP = "application/pgp-encrypted"
PKCS7 = "application/pkcs7-mime"
ZIP = "application/zip"

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1f\x8b", GZIP),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (0, b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (6, b"\x00\x00\x00\x00\x36\x00\x00\x00", "image/bmp"),
    (6, b"\x00\x00\x00\x00\x36\x04\x00\x00", "image/bmp"),
    (0, b"8BPS\x00", "image/vnd.adobe.photoshop"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (0, b"\x00\x00\x01\x00", "image/x-icon"),
    (0, b"\x85\x01\x0c\x03", PGP),
    (0, b"\x85\x02\x0c\x03", PGP),
    (0, b"\x84\x5e\x03", PGP),
    (0, b"\x8c\x0d\x04", PGP),
    (0, b"age-encryption.org/v1", "application/x-age-encrypted"),
    (0, b"Salted__", "application/x-openssl-encrypted"),
    (0, b"$ANSIBLE_VAULT;", "application/x-ansible-vault"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (4, b"1AY&SY", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"PAR1\x15", "application/vnd.apache.parquet"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"\x00asm\x01\x00\x00\x00", "application/wasm"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"ID3\x02", "audio/mpeg"),
    (0, b"ID3\x03", "audio/mpeg"),
    (0, b"ID3\x04", "audio/mpeg"),
    (0, b"OggS\x00", "audio/ogg"),
    (0, b"fLaC\x00", "audio/flac"),
    (8, b"WAVEfmt", "audio/wav"),
    (0, b"PK\x07\x08", ZIP),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmsf1", "image/heif"),
    (0, b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"II+\x00", "image/tiff"),
    (0, b"MM\x00+", "image/tiff"),
    (0, b"icns\x00", "image/icns"),
    (0, b"DDS |\x00", "image/vnd.ms-dds"),
    (0, b"\x01\xda\x01\x01", "image/sgi"),
    (0, b"\x01\xda\x00\x01", "image/sgi"),
    (0, b"\x0a\x05\x01\x08", "image/x-pcx"),
    (0, b"gimp xcf ", "image/x-xcf"),
    (0, b"v/1\x01\x02\x00", "image/x-exr"),
    (0, b"#?RADIANCE\n", "image/vnd.radiance"),
    (0, b"SIMPLE  =                    T", "image/fits"),
    (0, b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (40, b" EMF", "image/emf"),
    (128, b"DICM", "image/dicom"),
    (0, b"\x1f\x9d", "application/x-compress"),
    (0, b"\x04\x22\x4d\x18", "application/x-lz4"),
    (0, b"\x5d\x00\x00", "application/x-lzma"),
    (0, b"MSCF\x00\x00\x00\x00", "application/vnd.ms-cab-compressed"),
    (0, b"!<arch>\n", "application/x-archive"),
    (32769, b"CD001", "application/x-iso9660-image"),
    (0, b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (0, b"\x04%!PS", "application/postscript"),
    (0, b"\xffWPC", "application/vnd.wordperfect"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "application/onenote"),
    (0, b"!BDN", "application/vnd.ms-outlook-pst"),
    (4, b"Standard Jet DB", "application/x-msaccess"),
    (4, b"Standard ACE DB", "application/x-msaccess"),
    (0, b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (0, b"Obj\x01", "application/vnd.apache.avro"),
    (0, b"ARROW1\x00\x00", "application/vnd.apache.arrow.file"),
    (0, b"\x93NUMPY", "application/x-npy"),
    (0, b"\x89HDF\r\n", "application/x-hdf5"),
    (0, b"\xca\xfe\xba\xbe", "application/x-executable"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-executable"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"OTTO\x00", "font/otf"),
    (0, b"\x00\x01\x00\x00\x00", "font/ttf"),
    (0, b"MThd\x00\x00", "audio/midi"),
    (8, b"AIFF", "audio/aiff"),
    (8, b"AIFC", "audio/aiff"),
    (0, b"#!AMR\n", "audio/amr"),
    (8, b"AVI LIST", "video/x-msvideo"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
)
"""Offset, bytes and media type; of two that fit, the first one counts."""

_BY_FIRST_BYTE = [
    [one for one in _SIGNATURES if one[0] > 0 or one[1][0] == first] for first in range(256)
]
"""Of the signatures, in order, those that a file can have that begins with a byte."""

_PATTERNS = (
    (re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0{3}", re.DOTALL), "image/bmp"),
    (re.compile(rb"P[56]\s+\d+\s+\d+\s+\d+\s"), "image/x-portable-anymap"),
    (re.compile(rb"0707(?:0[12][0-9A-Fa-f]{104}|07[0-7]{70})"), "application/x-cpio"),
    (
        re.compile(rb".{100}(?:[0-7 ]{6,7}[ \0]{1,2}){3}[0-7 ]{11}[ \0]", re.DOTALL),
        "application/x-tar",
    ),
    # An enveloped message: a sequence, then its object identifier. Source: RFC 5652.
    (re.compile(rb"0[\x80-\x84].{0,4}\x06\x09\*\x86H\x86\xf7\x0d\x01\x07\x03", re.DOTALL), PKCS7),
)


def signed_media_type(content: bytes) -> str | None:
    """Return the media type that the first bytes of a file give away, else None."""
    for offset, signature, media_type in _BY_FIRST_BYTE[content[0]] if content else ():
        if content.startswith(signature, offset):
            return media_type
    return next((kind for pattern, kind in _PATTERNS if pattern.match(content)), None)
