"""Drawings of models, on a stand-in for pydot that records what it is told; what is missing is said clearly."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from hornbeam.errors import ArgumentError, ArgumentTypeError, MissingDependencyError, UnknownNameError, ValueStateError
from hornbeam.models.plot import model_to_dot, plot_model


class Graph:
    def __init__(self, name="G", **options):
        self.name, self.options = name, options
        self.nodes, self.edges, self.groups, self.written = {}, [], [], []

    def set(self, name, value):
        self.options[name] = value

    def set_node_defaults(self, **options):
        self.options["node"] = options

    def add_node(self, node):
        self.nodes[node.name] = node.label

    def add_edge(self, edge):
        self.edges.append((edge.start, edge.end))

    def add_subgraph(self, graph):
        self.groups.append(graph)

    def to_string(self):
        return "digraph G {}"

    def write(self, path, format):
        if format == "png":
            raise FileNotFoundError('"dot" not found in path.')
        raise AssertionError("dot: unknown format")


@pytest.fixture(autouse=True)
def pydot(monkeypatch):
    module = ModuleType("pydot")
    module.Dot = module.Cluster = Graph
    module.Node = lambda name, label: SimpleNamespace(name=name, label=label)
    module.Edge = lambda start, end: SimpleNamespace(start=start, end=end)
    module.PydotException = type("PydotException", (Exception,), {})
    monkeypatch.setitem(sys.modules, "pydot", module)
    return module


class Dense:
    trainable = True
    activation = staticmethod(lambda x: x)

    def __init__(self, name, layers=None):
        self.name = name
        self.weights = [SimpleNamespace(shape=(2,), dtype="float32")]
        self.compute_dtype = "float32"
        self._inbound_nodes = []
        self.built = True
        if layers is not None:
            self.layers = layers

    def __call__(self, *tensors):
        node = SimpleNamespace(operation=self, input_tensors=list(tensors))
        history = SimpleNamespace(operation=self, node_index=len(self._inbound_nodes), tensor_index=0)
        node.output_tensors = [SimpleNamespace(shape=(None, 3), dtype="float32", _keras_history=history)]
        self._inbound_nodes.append(node)
        return node.output_tensors[0]


class Sequential(Dense):
    pass


def residual():
    start, middle, end = (Dense(name) for name in ("start", "mid<dle", "end"))
    x = start()
    y = end(x, middle(x))
    model = Dense("model", [start, middle, end])
    model.inputs, model.outputs = [x], [y]
    return model


def names(graph, layers):
    known = {str(id(layer)): layer.name for layer in layers}
    return sorted(tuple(known[one.rpartition("_")[2]] for one in edge) for edge in graph.edges)


def test_edges_and_boxes():
    model = residual()
    graph = model_to_dot(model, rankdir="LR", dpi=96)
    assert names(graph, model.layers) == [("mid<dle", "end"), ("start", "end"), ("start", "mid<dle")]
    assert len(graph.nodes) == 3
    assert (graph.options["rankdir"], graph.options["dpi"], graph.options["splines"]) == ("LR", "96", "ortho")


@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        ({}, ["mid&lt;dle (<B>Dense</B>)"], ["shape", "dtype", "Trainable", "Activation"]),
        ({"show_layer_names": False}, ["><B>Dense</B>"], ["mid&lt;dle"]),
        ({"show_shapes": True}, ["Input shape: <B>(None, 3)", "Output shape: <B>(None, 3)"], []),
        ({"show_dtype": True}, ["Output dtype: <B>float32"], []),
        ({"show_trainable": True}, ["Trainable: <B>yes"], []),
        ({"show_layer_activations": True}, ["Activation: <B>&lt;lambda&gt;"], []),
    ],
)
def test_what_a_box_shows(options, there, absent):
    model = residual()
    label = model_to_dot(model, **options).nodes[str(id(model.layers[1]))]
    assert all(one in label for one in there)
    assert not any(one in label for one in absent)


@pytest.mark.parametrize("expand", [True, False])
def test_models_inside_become_groups(expand):
    inner = Sequential('in"ner', [Dense("a"), Dense("b")])
    outer = Sequential("outer", [Dense("first"), inner, Dense("last")])
    graph = model_to_dot(outer, expand_nested=expand)
    everything = [*outer.layers, *inner.layers]
    if not expand:
        assert names(graph, everything) == [("first", 'in"ner'), ('in"ner', "last")]
        return
    (group,) = graph.groups
    assert names(graph, everything) == [("b", "last"), ("first", "a")]
    assert names(group, everything) == [("a", "b")]
    assert group.options["label"] == '"in\\"ner"'


def test_part_of_a_model():
    model = residual()
    graph = model_to_dot(model, layer_range=["mid", "end"])
    assert names(graph, model.layers) == [("mid<dle", "end")]


def test_subgraph_is_a_group():
    model = residual()
    assert model_to_dot(model, subgraph=True).options["label"] == '"model"'


def test_dot_files_need_no_graphviz(tmp_path):
    assert plot_model(residual(), tmp_path / "m.dot") is None
    assert (tmp_path / "m.dot").read_text() == "digraph G {}"


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: plot_model(residual(), "m.png"), MissingDependencyError, "Graphviz.*write a .dot file"),
        (lambda: plot_model(residual(), "m.xyz"), RuntimeError, "unknown format"),
        (lambda: model_to_dot(residual(), rankdir="UP"), UnknownNameError, "TB"),
        (lambda: model_to_dot(residual(), dpi=0), ArgumentError, "dpi"),
        (lambda: model_to_dot(residual(), colour=1), ArgumentTypeError, "colour"),
        (lambda: model_to_dot(residual(), layer_range=["a", "b"]), ArgumentError, "start, mid<dle, end"),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_an_unbuilt_model_cannot_be_drawn():
    model = residual()
    model.built = False
    with pytest.raises(ValueStateError, match="built"):
        model_to_dot(model)


def test_missing_pydot_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(MissingDependencyError, match=r"hornbeam\[plot\]"):
        plot_model(residual())
