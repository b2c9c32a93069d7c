"""Which format a model file has, told by its content; the name only breaks a tie."""

from __future__ import annotations

import re
from typing import Final, Literal, NoReturn

from accelsim.base.errors import InputError, Problem

Format = Literal["onnx", "onnx_text", "caffe", "scalesim"]

HEAD_BYTES: Final = 65536
"""What is looked at: a format shows itself in its first lines, and noise must not cost time."""

READABLE: Final = "an ONNX model (binary or text), a Caffe prototxt or a SCALE-Sim topology CSV"

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_MODEL_PROTO_TAGS = frozenset(b"\x08\x12\x1a\x22\x28\x32\x3a\x42\x72")  # first bytes of ModelProto's fields
_CAFFE = re.compile(
    r"^\s*(?:layers?\s*:?\s*\{|(?:name|input|input_dim|force_backward|debug_info)\s*:|(?:input_shape|state)\s*:?\s*\{)",
    re.MULTILINE,
)
_COMMENT = re.compile(r"#[^\n]*")
_ONNX_GRAPH = re.compile(r"^\s*[\w.]+\s*\([^()]*\)\s*=>")
_FOREIGN: Final = (
    ("<?xml", "XML", "an OpenVINO IR is not read: give the ONNX or Caffe file that it was made from"),
    ("<net", "XML", "an OpenVINO IR is not read: give the ONNX or Caffe file that it was made from"),
    ("<!", "HTML", "a web page in place of the file? download its raw form"),
    ("{", "JSON", "Keras JSON is not read: export the model as ONNX"),
    ("[", "JSON", "export the model as ONNX"),
    ("version https://git-lfs", "a Git LFS pointer", "fetch the file itself with `git lfs pull`"),
)


def detect(data: bytes, path: str) -> Format:
    """The format of a file's bytes; InputError where they are no model that can be read."""
    if not data.strip():
        raise InputError(Problem("the file is empty", file=path, expected=READABLE))
    head = data[:HEAD_BYTES]
    if _CONTROL.search(head) or not _is_utf8(head):
        if head[0] in _MODEL_PROTO_TAGS:
            return "onnx"
        _refuse(path, "binary data that is no model")
    return _detect_text(head.decode("utf-8-sig", errors="replace"), path)


def _is_utf8(head: bytes) -> bool:
    """True for ASCII, UTF-8 (cut at a character) and text with a few Latin-1 letters in it."""
    replaced = head.decode("utf-8", errors="replace").count("\ufffd")
    return replaced <= 1 + len(head) // 50


def _detect_text(head: str, path: str) -> Format:
    text = _COMMENT.sub("", head).lstrip()
    name = path.lower()
    for start, what, hint in _FOREIGN:
        if text.startswith(start):
            _refuse(path, f"{what}, not a model", hint)
    looks_onnx = text.startswith("<") and re.search(r"\b(ir_version|opset_import)\b", text)
    if looks_onnx or _ONNX_GRAPH.match(text):
        return "onnx_text"
    if re.search(r"\blayers?\s*:?\s*\{", text) and _CAFFE.match(text):
        return "caffe"
    if _looks_like_topology(text):
        return "scalesim"
    if name.endswith((".onnx.txt", ".onnxtxt")):
        return "onnx_text"
    if name.endswith((".prototxt", ".pbtxt")) and _CAFFE.match(text):
        return "caffe"
    return _refuse(path, "text that is no model")


def _looks_like_topology(text: str) -> bool:
    """A row of four or more cells: a header that speaks of layers or input maps, or a name and numbers."""
    first = next((line for line in text.splitlines() if line.strip(" ,\t\r")), "")
    cells = [cell.strip() for cell in first.split(",")]
    if len(cells) < 4:
        return False
    header = "layer" in cells[0].lower() or any("ifmap" in cell.lower() for cell in cells)
    return header or all(re.fullmatch(r"[+-]?\d+", cell) for cell in cells[1:4])


def _refuse(path: str, message: str, hint: str | None = None) -> NoReturn:
    raise InputError(Problem(message, file=path, expected=READABLE, hint=hint))
