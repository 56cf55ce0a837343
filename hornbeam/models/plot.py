"""`plot_model` and `model_to_dot`: a model's layers as a drawn graph; needs pydot, and Graphviz to write pictures."""

from __future__ import annotations

import html
import itertools
import sys
from pathlib import Path
from typing import Any

from hornbeam.errors import (
    ArgumentError,
    ArgumentTypeError,
    HornbeamError,
    MissingDependencyError,
    StateError,
    UnknownNameError,
    ValueStateError,
)
from hornbeam.models import _anatomy as anatomy

_DIRECTIONS = ("TB", "BT", "LR", "RL")


class MissingProgramError(MissingDependencyError):
    """Graphviz, which is not a Python package, is not installed."""

    def __init__(self, where: str) -> None:
        HornbeamError.__init__(
            self, "Graphviz, whose program `dot` draws the picture", "no such program", where,
            "Install it from your system's packages or https://graphviz.org/download, or write a .dot file.",
        )


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """A model as a graph in the DOT language.

    Args:
        model: A model that is built.
        show_shapes: Whether boxes show the shapes of inputs and outputs.
        show_dtype: Whether boxes show the dtype of the outputs.
        show_layer_names: Whether boxes show the names of the layers beside their classes.
        rankdir: Where the graph runs: "TB" downwards, "LR" to the right, "BT" upwards, "RL" to the left.
        expand_nested: Whether models inside the model are drawn as groups of their layers.
        dpi: Dots per inch of pictures made of it.
        subgraph: Whether to give a `pydot.Cluster`, to be put in another graph, instead of a `pydot.Dot`.
        show_layer_activations: Whether boxes show the activations.
        show_trainable: Whether boxes show if the layer is trainable.
        splines: How edges are drawn, such as "ortho", "curved" or "polyline".
        **kwargs: `layer_range`, two names (or patterns) of the first and the last layer to draw.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster` where `subgraph` is set.

    Raises:
        MissingDependencyError: If pydot is not installed.
        ArgumentError: If `rankdir` is unknown, `dpi` not positive or `layer_range` does not fit.
        ValueStateError: If the model is not built.
    """
    pydot = _pydot("model_to_dot")
    layer_range = kwargs.pop("layer_range", None)
    if kwargs:
        raise ArgumentTypeError("known arguments", ", ".join(sorted(kwargs)), "model_to_dot")
    if rankdir not in _DIRECTIONS:
        raise UnknownNameError("direction", rankdir, _DIRECTIONS, "rankdir of model_to_dot")
    if not isinstance(dpi, (int, float)) or dpi <= 0:
        raise ArgumentError("dpi to be a positive number", repr(dpi), "model_to_dot")
    if not getattr(model, "built", False):
        raise ValueStateError(
            "a model that is built", "one that is not", f"model_to_dot of {model.name!r}",
            "Call it on data, or `build` it with the shape of its input.",
        )
    drawing = _Drawing(
        pydot,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        expand_nested=expand_nested,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
    )
    if subgraph:
        graph = pydot.Cluster(_key(model), style="dashed", label=_quoted(model.name), labeljust="l")
    else:
        graph = pydot.Dot()
        graph.set("rankdir", rankdir)
        graph.set("concentrate", "true")
        graph.set("dpi", str(dpi))
        graph.set("splines", splines)
        graph.set_node_defaults(shape="plaintext", fontname="Helvetica")
    drawing.draw(model, graph, layer_range)
    return graph


def plot_model(
    model: Any,
    to_file: str | Path = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draws a model's layers into a picture.

    Args:
        model: A model that is built.
        to_file: The file to write; its suffix says the format: png (the default), svg, pdf, jpg, or dot, which
            needs no Graphviz.
        show_shapes: As in `model_to_dot`, and so are all others.
        show_dtype: See `model_to_dot`.
        show_layer_names: See `model_to_dot`.
        rankdir: See `model_to_dot`.
        expand_nested: See `model_to_dot`.
        dpi: See `model_to_dot`.
        show_layer_activations: See `model_to_dot`.
        show_trainable: See `model_to_dot`.
        splines: See `model_to_dot`.
        **kwargs: See `model_to_dot`.

    Returns:
        The picture as an `IPython.display.Image` in a notebook, else None.

    Raises:
        MissingDependencyError: If pydot or Graphviz is missing.
    """
    pydot = _pydot("plot_model")
    graph = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **kwargs,
    )
    path = Path(to_file)
    kind = path.suffix.lstrip(".").lower() or "png"
    if not path.suffix:
        path = path.with_suffix(".png")
    if kind == "dot":
        path.write_text(graph.to_string(), encoding="utf-8")
        return None
    try:
        graph.write(str(path), format=kind)
    except FileNotFoundError as error:  # pydot runs the program `dot`
        raise MissingProgramError("plot_model") from error
    except (AssertionError, pydot.PydotException) as error:
        raise StateError(
            "Graphviz to draw the graph", str(error).strip() or "an error of `dot`", f"plot_model to {path}",
            "Check that your Graphviz knows this format, or write a .dot file.",
        ) from error
    return _in_notebook(path, kind)


def _pydot(purpose: str) -> Any:
    try:
        import pydot
    except ImportError as error:
        raise MissingDependencyError("pydot", purpose, "plot") from error
    return pydot


def _in_notebook(path: Path, kind: str) -> Any:
    # Only where a notebook has loaded it already: nothing else wants the picture back.
    display = sys.modules.get("IPython.display") if "ipykernel" in sys.modules else None
    if display is None or kind not in ("png", "jpg", "jpeg"):
        return None
    return display.Image(filename=str(path))


class _Drawing:
    """What is shown in the boxes, and the boxes drawn so far."""

    def __init__(self, pydot: Any, *, expand_nested: bool, **shown: bool) -> None:
        self.pydot = pydot
        self.expand_nested = expand_nested
        self.shown = shown

    def draw(self, model: Any, graph: Any, layer_range: Any = None, prefix: str = "") -> None:
        """Adds the boxes and edges of `model` to `graph`."""
        nodes = anatomy.graph_nodes(model)
        layers = anatomy.selected_layers(model, layer_range, f"model_to_dot of {model.name!r}")
        drawn = {id(layer) for layer in layers}
        for layer in layers:
            own = anatomy.nodes_of(layer, nodes)
            if self.expand_nested and anatomy.is_model(layer) and anatomy.layers_of(layer):
                key = prefix + _key(layer)
                group = self.pydot.Cluster(key, style="dashed", label=_quoted(layer.name), labeljust="l")
                self.draw(layer, group, prefix=key + "_")
                graph.add_subgraph(group)
            else:
                label = _label(layer, own, **self.shown)
                graph.add_node(self.pydot.Node(prefix + _key(layer), label=label))
        for source, target in self._edges(model, layers, nodes):
            if id(source) in drawn and id(target) in drawn:
                for start in self._boxes(source, prefix, last=True):
                    for end in self._boxes(target, prefix, last=False):
                        graph.add_edge(self.pydot.Edge(start, end))

    def _edges(self, model: Any, layers: list[Any], nodes: list[Any]) -> list[tuple[Any, Any]]:
        if anatomy.is_sequential(model):
            return list(itertools.pairwise(layers))
        edges: dict[tuple[int, int], tuple[Any, Any]] = {}
        for layer in layers:
            for node in anatomy.nodes_of(layer, nodes):
                for source, _, _ in anatomy.sources_of(node):
                    edges[id(source), id(layer)] = (source, layer)
        return list(edges.values())

    def _boxes(self, layer: Any, prefix: str, last: bool) -> list[str]:
        """The boxes that edges from (`last`) or to a layer end at: its own, or those at the end of its group."""
        inner = anatomy.operations_of(layer) if self.expand_nested and anatomy.is_model(layer) else []
        if not inner:
            return [prefix + _key(layer)]
        edges = self._edges(layer, inner, anatomy.graph_nodes(layer))
        busy = {id(source if last else target) for source, target in edges}
        ends = [one for one in inner if id(one) not in busy]
        return [box for one in ends for box in self._boxes(one, prefix + _key(layer) + "_", last)]


def _key(layer: Any) -> str:
    return str(id(layer))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _label(
    layer: Any,
    nodes: list[Any],
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    show_layer_activations: bool,
    show_trainable: bool,
) -> str:
    """The box of a layer as Graphviz's table: a dark title, and a row with what is shown of the layer."""
    title = f"<B>{html.escape(anatomy.class_name(layer))}</B>"
    if show_layer_names:
        title = f"{html.escape(layer.name)} ({title})"
    cells = []
    if show_layer_activations and anatomy.activation_name(layer):
        cells.append(("Activation", str(anatomy.activation_name(layer))))
    if show_shapes:
        cells.append(("Input shape", _shape_text(anatomy.input_shape(layer, nodes))))
        cells.append(("Output shape", _shape_text(anatomy.output_shape(layer, nodes))))
    if show_dtype:
        cells.append(("Output dtype", anatomy.output_dtype(layer, nodes)))
    if show_trainable and anatomy.weights_of(layer):
        cells.append(("Trainable", "yes" if anatomy.is_trainable(layer) else "no"))
    width = max(len(cells), 1)
    rows = (
        f'<TR><TD COLSPAN="{width}" BGCOLOR="black" CELLPADDING="8">'
        f'<FONT COLOR="white" POINT-SIZE="16">{title}</FONT></TD></TR>'
    )
    if cells:
        texts = "".join(f"<TD>{html.escape(name)}: <B>{html.escape(value)}</B></TD>" for name, value in cells)
        rows += f"<TR>{texts}</TR>"
    return f'<<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="8">{rows}</TABLE>>'


def _shape_text(shape: Any) -> str:
    if isinstance(shape, list):
        return ", ".join(str(one) for one in shape)
    return str(shape)
