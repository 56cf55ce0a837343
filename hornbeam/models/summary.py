"""`model.summary()`: a table of the layers with output shapes and parameter counts; knows nothing of training."""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import _config, _terminal
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.models import _anatomy as anatomy

# Where the columns end, as parts of the width.
_CHAIN_POSITIONS = (0.45, 0.80, 1.0)
_GRAPH_POSITIONS = (0.30, 0.56, 0.74, 1.0)
_TRAINABLE_PART = 0.10
# The widest a table gets where no width is given, in characters.
_CHAIN_LENGTH, _GRAPH_LENGTH, _TRAINABLE_LENGTH = 88, 108, 12
_MARGIN = 4

_CLASS, _OPEN, _NUMBER = "color(33)", "color(45)", "color(34)"


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints a table of a model's layers.

    On a terminal and in notebooks the table is coloured; anywhere else it is plain text.

    Args:
        model: The model; it need not be built.
        line_length: The width of the table in characters; None takes what the terminal has, up to 88, or 108 with
            the column "Connected to".
        positions: Where each column ends: either parts of the width, the last being 1, or characters.
        print_fn: Called once with the whole text instead of printing it.
        expand_nested: Whether the layers of models inside the model are listed too.
        show_trainable: Whether a column says which layers are trainable.
        layer_range: Names (or patterns of names) of the first and the last layer to list.

    Raises:
        ArgumentError: If `positions`, `line_length` or `layer_range` do not fit the model.
        ArgumentTypeError: If `print_fn` cannot be called.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    where = f"summary of {getattr(model, 'name', type(model).__name__)!r}"
    _check(line_length, print_fn, where)
    output = _terminal.standard_output()
    if print_fn is not None:
        output = output._replace(kind="plain", color=False, unicode=True)
    in_notebook = output.kind == "notebook"
    text = io.StringIO()
    options: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
    if not in_notebook:
        options |= {"file": text, "force_terminal": output.color, "force_jupyter": False, "legacy_windows": False}
        options |= {"color_system": "auto" if output.color else None, "no_color": not output.color}
    console = Console(**options)
    if line_length is not None and console.width < line_length:
        console.width = line_length  # a table wider than the terminal wraps there, but nothing of it is lost

    nodes = anatomy.graph_nodes(model)
    with_connections = not anatomy.is_sequential(model) and not anatomy.is_chain(nodes)
    ends = list(_GRAPH_POSITIONS if with_connections else _CHAIN_POSITIONS) if positions is None else list(positions)
    headers = ["Layer (type)", "Output Shape", "Param #"] + ["Connected to"] * with_connections
    length = _GRAPH_LENGTH if with_connections else _CHAIN_LENGTH
    if show_trainable:
        headers.append("Trainable")
        length += _TRAINABLE_LENGTH
    if line_length is None:
        line_length = max(min(length, console.width - _MARGIN), 1)

    table = Table(
        width=line_length,
        box=box.HEAVY_HEAD if output.unicode else box.ASCII,
        show_lines=True,
        header_style="bold",
        safe_box=False,
    )
    widths = _column_widths(ends, len(headers), line_length, show_trainable, where)
    for header, width in zip(headers, widths, strict=True):
        justify = {"Param #": "right", "Trainable": "center"}.get(header, "left")
        overflow = "ellipsis" if output.unicode else "fold"
        table.add_column(Text(header), width=width, justify=justify, overflow=overflow)  # type: ignore[arg-type]
    branch = "└ " if output.unicode else "- "
    chosen = anatomy.selected_layers(model, layer_range, where)
    for layer, own_nodes, depth in _rows(chosen, nodes, expand_nested, 0):
        cells = [_title(layer, depth, branch), _shape(layer, own_nodes), _parameters(layer)]
        if with_connections:
            cells.append(_connections(own_nodes if depth == 0 else []))
        if show_trainable:
            cells.append(_trainable(layer))
        table.add_row(*(Text.assemble(*cell) for cell in cells))

    console.print(Text(f'Model: "{model.name}"', style="bold"))
    console.print(table)
    for total in _totals(model):
        console.print(Text.assemble(*total), soft_wrap=True)
    if in_notebook:  # rich has shown it as HTML
        return
    _deliver(text.getvalue(), print_fn)


def _check(line_length: Any, print_fn: Any, where: str) -> None:
    if print_fn is not None and not callable(print_fn):
        raise ArgumentTypeError("print_fn to be callable", repr(print_fn), where)
    if line_length is not None and (isinstance(line_length, bool) or int(line_length) != line_length):
        raise ArgumentTypeError("line_length to be a whole number", repr(line_length), where)
    if line_length is not None and line_length < 1:
        raise ArgumentError("line_length to be at least 1", repr(line_length), where)


def _deliver(text: str, print_fn: Callable[[str], Any] | None) -> None:
    if print_fn is not None:
        print_fn(text)
    elif _config.is_interactive_logging_enabled():
        _terminal.write(text)
    else:
        logging.getLogger("hornbeam").info(text.rstrip("\n"))


def _column_widths(
    ends: list[float], columns: int, line_length: int, show_trainable: bool, where: str
) -> list[int]:
    """The width of each column between its borders and padding, before the table takes what those need."""
    rising = all(before < after for before, after in zip([0, *ends], ends, strict=False))
    if show_trainable and len(ends) == columns - 1 and rising:
        # positions speak of the other columns; these make room
        last = ends[-1] if ends[-1] > 1 else 1.0
        ends = [end * (1 - _TRAINABLE_PART) for end in ends] + [last]
    if len(ends) < columns or not rising:
        raise ArgumentError(
            f"{columns - show_trainable} rising positions, one for each column", repr(ends), where,
            "They are parts of the width that end with 1, or counts of characters.",
        )
    ends = ends[:columns]
    borders = [0, *(int(end) if ends[-1] > 1 else int(end * line_length) for end in ends)]
    return [max(after - before, 1) for before, after in itertools.pairwise(borders)]


def _rows(
    layers: list[Any], nodes: list[Any], expand_nested: bool, depth: int
) -> list[tuple[Any, list[Any], int]]:
    """Each layer to list, with its applications in the model it stands in and how deep that is."""
    rows = []
    for layer in layers:
        rows.append((layer, anatomy.nodes_of(layer, nodes), depth))
        if expand_nested and anatomy.is_model(layer):
            rows += _rows(anatomy.layers_of(layer), anatomy.graph_nodes(layer), True, depth + 1)
    return rows


# Cells: each is a list of pieces, text or (text, style), so that no name is ever taken for markup.

Piece = str | tuple[str, str]


def _title(layer: Any, depth: int, branch: str) -> list[Piece]:
    prefix = "   " * depth + branch if depth else ""
    return [f"{prefix}{layer.name} (", (anatomy.class_name(layer), _CLASS), ")"]


def _shape(layer: Any, nodes: list[Any]) -> list[Piece]:
    return _shape_pieces(anatomy.output_shape(layer, nodes))


def _shape_pieces(shape: Any) -> list[Piece]:
    if shape is None:
        return [("None", _OPEN)]
    if isinstance(shape, str):
        return [shape]
    if isinstance(shape, dict):
        parts = [[f"{name}: ", *_shape_pieces(one)] for name, one in shape.items()]
        return ["{", *_joined(parts), "}"]
    if isinstance(shape, (list, tuple)):
        left, right = "[]" if isinstance(shape, list) else "()"
        if right == ")" and len(shape) == 1:
            right = ",)"
        return [left, *_joined([_shape_pieces(one) for one in shape]), right]
    return [(str(shape), _NUMBER)]


def _joined(parts: Sequence[Sequence[Piece]]) -> list[Piece]:
    pieces: list[Piece] = []
    for part in parts:
        pieces += [", ", *part] if pieces else part
    return pieces


def _parameters(layer: Any) -> list[Piece]:
    if anatomy.is_unbuilt(layer):
        return [("0", _NUMBER), " (unbuilt)"]
    return [(f"{anatomy.count(anatomy.weights_of(layer)):,}", _NUMBER)]


def _connections(nodes: list[Any]) -> list[Piece]:
    sources: list[list[Piece]] = [
        [f"{source.name}[", (str(application), _NUMBER), "][", (str(output), _NUMBER), "]"]
        for node in nodes
        for source, application, output in anatomy.sources_of(node)
    ]
    return _joined(sources) or ["-"]


def _trainable(layer: Any) -> list[Piece]:
    if not anatomy.weights_of(layer):
        return [("-", "bold")]
    return [("Y", f"bold {_NUMBER}")] if anatomy.is_trainable(layer) else [("N", "bold bright_red")]


def _totals(model: Any) -> list[list[Piece]]:
    weights, of_optimizer = anatomy.weights_of(model), anatomy.optimizer_variables(model)
    groups = [
        ("Total", weights + of_optimizer),
        ("Trainable", list(model.trainable_weights)),
        ("Non-trainable", list(model.non_trainable_weights)),
    ]
    if of_optimizer:
        groups.append(("Optimizer", of_optimizer))
    return [
        [
            (f" {name} params: ", "bold"),
            (f"{anatomy.count(variables):,}", _NUMBER),
            f" ({_memory(anatomy.size_in_bytes(variables))})",
        ]
        for name, variables in groups
    ]


def _memory(size: float) -> str:
    units = ["B", "KB", "MB", "GB", "TB", "PB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.2f} {units[0]}"
