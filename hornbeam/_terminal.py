"""Where text for people goes: what standard output can show, and writing to it; knows nothing of what is said."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, Literal, NamedTuple

from hornbeam import _config

Kind = Literal["terminal", "notebook", "plain"]


class Output(NamedTuple):
    """What standard output can do.

    `kind` is "terminal" or "notebook" where a line can be drawn over, "plain" for files, pipes and logs, which
    must never see a control character. `color` says whether colours are shown, `unicode` whether characters
    such as "━" are.
    """

    stream: Any
    kind: Kind
    color: bool
    unicode: bool


def standard_output() -> Output:
    """Looks at standard output as it is now; redirecting it changes the answer."""
    stream = sys.stdout
    if not _config.is_interactive_logging_enabled():
        return Output(stream, "plain", color=False, unicode=True)
    kind = _kind(stream)
    return Output(stream, kind, kind != "plain" and _shows_color(kind), _shows_unicode(stream))


def _kind(stream: Any) -> Kind:
    # By the class of the stream, so that output redirected inside a notebook is still plain.
    maker = type(stream).__module__.partition(".")[0]
    if maker == "ipykernel":
        return "notebook"
    if maker == "idlelib":  # calls itself a terminal and shows "\r" as a character
        return "plain"
    try:
        return "terminal" if stream is not None and stream.isatty() else "plain"
    except (AttributeError, ValueError):  # not a whole file, or a closed one
        return "plain"


def _shows_color(kind: Kind) -> bool:
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        return False
    if kind == "notebook":
        return True
    if os.name == "nt":  # the old console prints colour codes as characters; the new ones say who they are
        return any(name in os.environ for name in ("WT_SESSION", "ANSICON", "ConEmuANSI", "TERM"))
    return os.environ.get("TERM", "") not in ("", "dumb")


def _shows_unicode(stream: Any) -> bool:
    try:
        "━─└…".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def columns(output: Output) -> int | None:
    """The width of the terminal behind `output`; None where there is none or it does not say."""
    if output.kind != "terminal":
        return None
    try:
        return os.get_terminal_size(output.stream.fileno()).columns or None
    except (AttributeError, OSError, ValueError):
        return None


def write(text: str) -> None:
    """Writes to standard output at once; characters it cannot show become "?" instead of an error."""
    stream = sys.stdout
    if stream is None:  # a program without a console
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding
        stream.write(text.encode(encoding, errors="replace").decode(encoding))
    stream.flush()


def say(message: str) -> None:
    """Tells the user a line: on standard output, or to the logger "hornbeam" after `disable_interactive_logging`.

    Args:
        message: One or more lines, without the last line break.
    """
    if _config.is_interactive_logging_enabled():
        write(message + "\n")
    else:
        logging.getLogger("hornbeam").info(message)
