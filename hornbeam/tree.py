"""Nested structures of lists, tuples, dicts and named tuples: flatten, map, pack. None is a leaf.

Stands on optree, which does the walking in C++.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import optree

from hornbeam.errors import ArgumentError, ArgumentTypeError, warn

NAMESPACE = "hornbeam"


class MAP_TO_NONE:
    """What the function of `traverse` returns to put None in place of a subtree."""


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container (list, tuple, dict, ...) and not a leaf."""
    return not optree.tree_is_leaf(structure, none_is_leaf=True, namespace=NAMESPACE)


def flatten(structure: Any) -> list[Any]:
    """The leaves of `structure`, depth first; dicts in the order of their sorted keys.

    >>> flatten({"b": 2, "a": [1, None]})
    [1, None, 2]
    """
    return optree.tree_leaves(structure, none_is_leaf=True, namespace=NAMESPACE)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves of `structure` with the path of keys and indices that leads to each."""
    paths, leaves, _ = optree.tree_flatten_with_path(structure, none_is_leaf=True, namespace=NAMESPACE)
    return list(zip(paths, leaves, strict=True))


def structure_of(structure: Any) -> optree.PyTreeSpec:
    """A hashable description of the nesting, without the leaves."""
    return optree.tree_structure(structure, none_is_leaf=True, namespace=NAMESPACE)


def flatten_and_structure(structure: Any) -> tuple[list[Any], optree.PyTreeSpec]:
    """The leaves of `structure` and a hashable description of its nesting."""
    return optree.tree_flatten(structure, none_is_leaf=True, namespace=NAMESPACE)


def unflatten(description: optree.PyTreeSpec, leaves: Iterable[Any]) -> Any:
    """Builds the structure that `structure_of` described around new leaves."""
    return optree.tree_unflatten(description, leaves)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Applies `func` to each leaf, or to the matching leaves of several structures of one nesting.

    Args:
        func: Called with a leaf of each structure.
        structures: Nested lists, tuples, dicts and what is registered as such.
        none_is_leaf: Whether None is a leaf; if not, it stays as it is, and must stand in all structures.

    Returns:
        The results, nested like the first structure.

    Raises:
        ValueError: Without a structure, or if the structures are not nested alike.

    >>> map_structure(lambda x: x + 1, {"a": 1, "b": [None, 2]}, none_is_leaf=False)
    {'a': 2, 'b': [None, 3]}
    """
    if not callable(func):
        raise ArgumentTypeError("a callable", repr(func), "map_structure")
    if not structures:
        raise ArgumentError("at least one structure", "none", "map_structure")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    if not none_is_leaf:
        return optree.tree_map(
            lambda *leaves: _unless_none(func, leaves), *structures, none_is_leaf=True, namespace=NAMESPACE
        )
    return optree.tree_map(func, *structures, none_is_leaf=True, namespace=NAMESPACE)


def _unless_none(func: Callable[..., Any], leaves: tuple[Any, ...]) -> Any:
    if any(one is None for one in leaves):
        if all(one is None for one in leaves):
            return None
        raise ArgumentError("None in all structures or in none", repr(leaves), "map_structure")
    return func(*leaves)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Applies `func` to the parts of `structures` that stand where `shallow_structure` has its leaves."""
    description = structure_of(shallow_structure)
    try:
        parts = [description.flatten_up_to(one) for one in structures]
    except (ValueError, TypeError, KeyError) as problem:
        raise ArgumentError(
            f"structures that begin like {shallow_structure!r}", str(problem), "map_structure_up_to"
        ) from None
    return unflatten(description, [func(*row) for row in zip(*parts, strict=True)])


def map_shape_structure(func: Callable[[tuple], Any], structure: Any) -> Any:
    """Applies `func` to each shape in `structure`: a tuple or list of ints and Nones is one leaf."""
    return optree.tree_map(func, structure, is_leaf=is_shape, none_is_leaf=True, namespace=NAMESPACE)


def is_shape(value: Any) -> bool:
    """Whether `value` is a tuple or list of ints and Nones."""
    return isinstance(value, (tuple, list)) and all(
        one is None or (isinstance(one, int) and not isinstance(one, bool)) for one in value
    )


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raises a ValueError that names both structures unless `a` and `b` are nested alike, in the same types.

    Args:
        a: A structure.
        b: Another one. What its leaves are makes no difference.
        check_types: Without effect, as in Keras, and on its way out.

    >>> assert_same_structure([1, {"x": 2}], [None, {"x": "three"}])
    """
    if check_types is not None:
        warn(
            "assert_same_structure: check_types has no effect. Leave it out; where a list may stand for a tuple, "
            "call assert_same_paths().",
            DeprecationWarning,
        )
    if structure_of(a) != structure_of(b):
        raise ArgumentError(f"two structures nested alike, such as {structure_of(a)}", f"{structure_of(b)}")


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises a ValueError unless the leaves of `a` and `b` have the same paths."""
    paths = [{path for path, _ in flatten_with_path(one)} for one in (a, b)]
    if paths[0] != paths[1]:
        raise ArgumentError(
            "two structures with the same paths", f"differing at {sorted(map(str, paths[0] ^ paths[1]))}"
        )


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """Builds a structure nested like `structure` from a flat list of leaves."""
    description = structure_of(structure)
    flat = list(flat_sequence)
    if len(flat) != description.num_leaves:
        raise ArgumentError(f"{description.num_leaves} leaves for {description}", f"{len(flat)}", "pack_sequence_as")
    return unflatten(description, flat)


def lists_to_tuples(structure: Any) -> Any:
    """Replaces each list in `structure` by a tuple."""
    return traverse(lambda one: tuple(one) if isinstance(one, list) else None, structure, top_down=False)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Visits each subtree; what `func` returns, unless None, takes the place of the subtree.

    Args:
        func: Called with a subtree. None means: leave it, and go on into it. `MAP_TO_NONE` puts None.
        structure: Any nested structure.
        top_down: Whether a subtree is visited before its parts (then replaced subtrees are not entered).

    Returns:
        The new structure.
    """

    def replaced(part: Any) -> Any:
        result = func(part)
        if result is None:
            return part
        return None if result is MAP_TO_NONE else result

    if top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
    if is_nested(structure):
        children, about, _, rebuild = optree.tree_flatten_one_level(structure, none_is_leaf=True, namespace=NAMESPACE)
        structure = rebuild(about, [traverse(func, child, top_down) for child in children])
    return structure if top_down else replaced(structure)
