"""Control flow and gradients of one's own, on trees of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import tree
from hornbeam.backend.tensorflow.framework import tf


def cond(predicate: Any, true_function: Callable[[], Any], false_function: Callable[[], Any]) -> Any:
    """One of two branches, whose results may be any trees."""
    kept: list[Any] = []

    def flat(function: Callable[[], Any]) -> Callable[[], list[Any]]:
        def branch() -> list[Any]:
            leaves, description = tree.flatten_and_structure(function())
            kept.append((description, [None if one is not None else (one,) for one in leaves]))
            return [one for one in leaves if one is not None]

        return branch

    leaves = iter(tf.cond(predicate, flat(true_function), flat(false_function)))
    description, fixed = kept[0]
    return tree.unflatten(description, [next(leaves) if one is None else one[0] for one in fixed])


def while_loop(condition: Callable, body: Callable, values: tuple, limit: int | None) -> tuple:
    """Values that a body changes while a condition holds; trees in a tuple."""
    leaves, description = tree.flatten_and_structure(tuple(values))
    result = tf.while_loop(
        lambda *parts: condition(*tree.unflatten(description, parts)),
        lambda *parts: tree.flatten(tuple(body(*tree.unflatten(description, parts)))),
        [tf.convert_to_tensor(one) for one in leaves],
        maximum_iterations=limit,
    )
    return tree.unflatten(description, result)


def scan(step: Callable, carry: Any, xs: Any, length: int, reverse: bool) -> tuple:
    """`step(carry, x) -> (carry, y)` along axis 0, as a loop in the graph."""
    if isinstance(length, int) and length == 0:
        return carry, None
    order = [length - 1] if reverse else [0]

    def slices(index: Any) -> Any:
        return tree.map_structure(lambda part: None if part is None else tf.gather(part, index), xs)

    carry_leaves, carry_description = tree.flatten_and_structure(carry)
    first_carry, first_output = step(carry, slices(order[0]))
    output_leaves, output_description = tree.flatten_and_structure(first_output)
    kept = [one is not None for one in output_leaves]
    arrays = [
        tf.TensorArray(one.dtype, length, element_shape=one.shape).write(order[0], one)
        for one in output_leaves
        if one is not None
    ]
    carried = [one is not None for one in carry_leaves]

    def pack(leaves: list[Any]) -> list[Any]:
        return [one for one, there in zip(leaves, carried, strict=True) if there]

    def unpack(leaves: Any) -> Any:
        rest = iter(leaves)
        return tree.unflatten(carry_description, [next(rest) if there else None for there in carried])

    def body(count: Any, parts: list[Any], rows: list[Any]) -> tuple:
        index = length - 1 - count if reverse else count
        new_carry, output = step(unpack(parts), slices(index))
        leaves = [one for one, there in zip(tree.flatten(output), kept, strict=True) if there]
        rows = [row.write(index, one) for row, one in zip(rows, leaves, strict=True)]
        return count + 1, pack(tree.flatten(new_carry)), rows

    _, parts, arrays = tf.while_loop(
        lambda count, *_: count < length,
        body,
        (tf.constant(1), pack(tree.flatten(first_carry)), arrays),
        maximum_iterations=length - 1,
    )
    rest = iter(arrays)
    outputs = [next(rest).stack() if there else None for there in kept]
    return unpack(parts), tree.unflatten(output_description, outputs)


def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` on all slices along axis 0 at once."""
    leaves, description = tree.flatten_and_structure(elements)
    kept: list[Any] = []

    def remembered(parts: list[Any]) -> list[Any]:
        found, structure = tree.flatten_and_structure(function(tree.unflatten(description, parts)))
        kept[:] = [structure]
        return [tf.convert_to_tensor(one) for one in found]

    found = tf.vectorized_map(remembered, [tf.convert_to_tensor(one) for one in leaves])
    return tree.unflatten(kept[0], found)


def custom_gradient(function: Callable) -> Callable:
    """`function(*args) -> (value, backward)` with trees as arguments, as a function with that gradient."""

    def apply(*args: Any, **kwargs: Any) -> Any:
        leaves, description = tree.flatten_and_structure(args)
        places = [i for i, one in enumerate(leaves) if isinstance(one, tf.Tensor)]
        kept: list[Any] = []

        @tf.custom_gradient
        def inner(*tensors: Any) -> Any:
            full = list(leaves)
            for place, one in zip(places, tensors, strict=True):
                full[place] = one
            value, backward = function(*tree.unflatten(description, full), **kwargs)
            flat, structure = tree.flatten_and_structure(value)
            kept[:] = [structure]

            def gradient(*upstream: Any, variables: Any = None) -> Any:
                found = backward(tree.unflatten(structure, list(upstream)))
                flat_found = tree.flatten(found)
                mine = [flat_found[place] for place in places] if len(flat_found) == len(leaves) else flat_found
                # variables get their gradient from `backward` through the arguments alone
                return (mine, [None] * len(variables)) if variables is not None else mine

            return [tf.convert_to_tensor(one) for one in flat], gradient

        found = inner(*[leaves[place] for place in places])
        return tree.unflatten(kept[0], tf.nest.flatten(found))

    return apply


def jvp(function: Callable, primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    """The value of a function, and its derivative in a direction."""
    leaves, description = tree.flatten_and_structure(tuple(primals))
    directions = tree.flatten(tuple(tangents))
    leaves = [tf.identity(tf.convert_to_tensor(one)) for one in leaves]
    directions = [tf.cast(one, leaf.dtype) for one, leaf in zip(directions, leaves, strict=True)]
    with tf.autodiff.ForwardAccumulator(leaves, directions) as forward:
        result = function(*tree.unflatten(description, leaves))
        value, aux = result if has_aux else (result, None)
    moved = tree.map_structure(lambda one: forward.jvp(one, tf.UnconnectedGradients.ZERO), value)
    return (value, moved, aux) if has_aux else (value, moved)


def remat(function: Callable) -> Callable:
    """`function` of trees, whose inner results are computed again for the gradient."""

    def apply(*args: Any) -> Any:
        leaves, description = tree.flatten_and_structure(args)
        places = [i for i, one in enumerate(leaves) if isinstance(one, tf.Tensor)]
        kept: list[Any] = []

        def flat(*tensors: Any) -> list[Any]:
            full = list(leaves)
            for place, one in zip(places, tensors, strict=True):
                full[place] = one
            found, structure = tree.flatten_and_structure(function(*tree.unflatten(description, full)))
            kept[:] = [structure]
            return found

        found = tf.recompute_grad(flat)(*[leaves[place] for place in places])
        return tree.unflatten(kept[0], tf.nest.flatten(found))

    return apply
