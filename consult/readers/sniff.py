"""Tells what a file really is, by its first bytes, and refuses what cannot be a draft.

Looks only; parses nothing.
"""

from __future__ import annotations

from consult.readers.draft import MAX_BYTES, UnreadableDraft

DOCX, MARKDOWN, TEXT = "docx", "markdown", "text"
_FORMATS = {"docx": DOCX, "md": MARKDOWN, "markdown": MARKDOWN, "txt": TEXT, "text": TEXT}
_ASK = "请另存为 .docx、.md 或 .txt 后重新上传。"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "RTF文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"II*\0", "图片"),
    (b"MM\0*", "图片"),
    (b"MZ", "程序"),
    (b"\x7fELF", "程序"),
    (b"Rar!", "压缩文件"),
    (b"7z\xbc\xaf", "压缩文件"),
    (b"\x1f\x8b", "压缩文件"),
)
_MARKUP = ("<!doctype", "<html", "<head", "<body", "<script", "<svg", "<?xml", "mime-version:")
_OTHER_NAMES = {
    "doc": "这是旧版Word文档（.doc），请用Word或WPS打开，另存为 .docx 后重新上传。",
    "docm": "这是带宏的Word文档（.docm），请另存为不带宏的 .docx 后重新上传。",
    "dotm": "这是带宏的Word模板（.dotm），请另存为不带宏的 .docx 后重新上传。",
    "wps": f"这是WPS文字文档（.wps），{_ASK}",
    "pdf": f"暂不能读取PDF文件，请用编辑它的软件打开原稿，{_ASK[1:]}",
}


def format_of(data: bytes, filename: str) -> str:
    """DOCX, MARKDOWN or TEXT; refuses a file that is too big, empty or something else."""
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableDraft("文件是空的，请选择有内容的文件重新上传。")
    if len(data) > MAX_BYTES:
        raise UnreadableDraft(
            f"文件超过{MAX_BYTES // 1024 // 1024}MB，请删去或压缩其中的图片后重新上传。"
        )
    _, dot, extension = filename.rpartition(".")
    extension = extension.strip().lower() if dot else ""
    _refuse_other_contents(data)
    if extension in _OTHER_NAMES:
        raise UnreadableDraft(_OTHER_NAMES[extension])
    if extension not in _FORMATS:
        raise UnreadableDraft(f"只能读取 .docx、.md 和 .txt 文件，{_ASK}")
    found = _FORMATS[extension]
    _refuse_mismatch(data, found)
    return found


def refuse_markup(text: str) -> None:
    """HTML, XML or a saved web page under a text name."""
    if text[:2048].lstrip().lower().startswith(_MARKUP):
        raise UnreadableDraft(f"这是网页或XML文件，不是文稿，请用浏览器或Word打开，{_ASK[1:]}")


def _refuse_other_contents(data: bytes) -> None:
    if data.startswith(_OLE):
        raise UnreadableDraft(_ole_sentence(data))
    if b"%PDF-" in data[:1024]:
        raise UnreadableDraft(_OTHER_NAMES["pdf"])
    for magic, name in _MAGIC:
        # Two letters may open an English text; a program has binary bytes right behind.
        if data.startswith(magic) and (len(magic) > 2 or b"\0" in data[:64] or magic[0] > 127):
            raise UnreadableDraft(f"文件内容是{name}，与文稿不符，请核对文件；如确为文稿，{_ASK}")


def _ole_sentence(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "文档设有打开密码，无法读取，请在Word或WPS中取消密码后重新上传。"
    if "WordDocument".encode("utf-16-le") in data:
        return _OTHER_NAMES["doc"]
    return f"这是旧版Office文件，无法读取，{_ASK}"


def _refuse_mismatch(data: bytes, expected: str) -> None:
    is_zip = data.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    if expected == DOCX and not is_zip:
        refuse_markup(data[:2048].decode("latin-1"))
        raise UnreadableDraft(
            "文件扩展名是 .docx，内容却不是Word文档，请用Word或WPS打开原稿另存为 .docx 后重新上传。"
        )
    if expected != DOCX and is_zip:
        raise UnreadableDraft(
            "文件内容是Word文档或压缩文件，与扩展名不符，请将Word文档改用 .docx 扩展名后重新上传。"
        )
