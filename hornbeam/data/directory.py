"""Folders of files as paths, labels and class names, in Keras's order and with Keras's splits; reads no file."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hornbeam.errors import ArgumentError, ArgumentTypeError, FileFormatError, UnknownNameError, describe

_MODES = ("int", "categorical", "binary")


class Listing(NamedTuple):
    """What a folder holds: files, a label for each in the form that was asked for, and the classes."""

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None
    shuffled: bool


def list_directory(
    directory: Any,
    *,
    labels: Any,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    formats: Sequence[str],
    kind: str,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    verbose: bool,
    where: str,
) -> tuple[list[Listing], int]:
    """One listing, or two for the subset "both", and the seed of the orders.

    Args:
        directory: A folder with a folder for each class; with `labels` given or None, any folder.
        labels: "inferred" for the folders' names, a sequence with a label for each file in order of paths, or None.
        label_mode: "int", "categorical", "binary", or None for no labels.
        class_names: The classes in the order of their numbers; None for alphabetic order.
        formats: Endings that count, in lower case.
        kind: What to call the files.
        shuffle: Whether files come in random order.
        seed: Of the order.
        validation_split: The share that is held back, from the end.
        subset: "training", "validation", "both" or None.
        follow_links: Whether folders behind links are visited.
        verbose: Whether to print what was found.
        where: The function's name, for errors.

    Raises:
        OSError: If the folder is not there.
        ValueError: If an argument is wrong or no file is found.
    """
    label_mode = _check_arguments(labels, label_mode, class_names, where)
    check_split(validation_split, subset, shuffle, seed, where)
    root = Path(os.fspath(directory))
    if not root.is_dir():
        raise MissingFolderError("a folder", f"no folder {str(root)!r}", where)
    given = isinstance(labels, (list, tuple, np.ndarray))
    if labels is None or given:
        paths = _files_below(root, formats, follow_links)
        numbers, class_names = _given_labels(labels, paths, root, where) if given else (None, None)
    else:
        paths, numbers, class_names = _by_class(root, class_names, formats, follow_links, where)
    if not paths:
        raise _nothing_found(root, formats, kind, follow_links, where)
    if label_mode == "binary" and numbers is not None and len(class_names or ()) != 2:
        raise ArgumentError(
            "exactly 2 classes for label_mode='binary'", f"{len(class_names or ())}: {class_names}", where,
            "Choose two with class_names=[...], or label_mode='int'.",
        )  # fmt: skip
    if verbose:
        of = f" belonging to {len(class_names)} classes" if numbers is not None and class_names is not None else ""
        print(f"Found {len(paths)} files{of}.")
    seed = random.randrange(10**6) if seed is None else seed
    made = _encode(numbers, label_mode, class_names)
    if shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(seed).shuffle(order)  # as Keras, so that a seed means the same split
        paths = [paths[one] for one in order]
        made = None if made is None else made[order]
    if made is None:
        class_names = None
    held_back = 0 if validation_split is None else int(validation_split * len(paths))
    cut = len(paths) - held_back
    listings = []
    for name, part in (("training", slice(0, cut)), ("validation", slice(cut, None))):
        if subset not in (name, "both") and (subset is not None or name == "validation"):
            continue
        chosen = paths[part]
        if subset is not None and verbose:
            print(f"Using {len(chosen)} files for {name}.")
        if not chosen:
            raise ArgumentError(
                f"a validation_split that leaves files for {name}", f"{validation_split} of {len(paths)} files", where
            )
        # What is held back is looked at, not trained on: its order stays that of `file_paths`.
        their_labels = None if made is None else made[part]
        listings.append(Listing(chosen, their_labels, class_names, shuffle and name == "training"))
    return listings, seed


class MissingFolderError(FileFormatError, FileNotFoundError):
    """There is no such folder."""


def _check_arguments(labels: Any, label_mode: str | None, class_names: Any, where: str) -> str | None:
    if labels is not None and not isinstance(labels, (list, tuple, np.ndarray)):
        if not isinstance(labels, str) or labels != "inferred":
            raise ArgumentError(
                "labels='inferred', a list with a label for each file, or None", describe(labels), where
            )
    if label_mode is not None and label_mode not in _MODES:
        raise UnknownNameError("label mode", label_mode, (*_MODES, "None"), where)
    if class_names is not None and labels is None:
        raise ArgumentError("no class_names with labels=None", f"class_names={list(class_names)}", where)
    if class_names is not None and (isinstance(class_names, str) or len(set(class_names)) != len(list(class_names))):
        raise ArgumentError("a list of different class names", repr(class_names), where)
    return label_mode if labels is not None else None


def check_split(split: Any, subset: Any, shuffle: bool, seed: Any, where: str) -> None:
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if seed is not None and not (whole and 0 <= seed < 2**32):
        raise ArgumentError("an integer from 0 to 2**32 - 1 as seed", repr(seed), where)
    if subset not in (None, "training", "validation", "both"):
        raise UnknownNameError("subset", subset, ("training", "validation", "both"), where)
    if (split is None) != (subset is None):
        raise ArgumentError(
            "validation_split and subset together", f"validation_split={split}, subset={subset!r}", where,
            "Give subset='training', 'validation' or 'both' with validation_split.",
        )  # fmt: skip
    if split is None:
        return
    if isinstance(split, bool) or not isinstance(split, (int, float)):
        raise ArgumentTypeError("a fraction between 0 and 1", repr(split), f"{where}: validation_split")
    if not 0 < split < 1:
        raise ArgumentError("a validation_split between 0 and 1", str(split), where)
    if shuffle and seed is None and subset != "both":
        raise ArgumentError(
            "a seed with validation_split and shuffle", "seed=None", where,
            "Without one, two calls give training and validation files that overlap.",
        )  # fmt: skip


def _files_below(root: Path, formats: Sequence[str], follow_links: bool) -> list[str]:
    """All files with these endings, folder by folder, both in alphabetic order."""
    endings = tuple(formats)
    found = []
    for folder, names in sorted(_walk(root, follow_links)):
        found += [str(Path(folder) / name) for name in sorted(names) if name.lower().endswith(endings)]
    return found


def _walk(root: Path, follow_links: bool) -> Iterator[tuple[str, list[str]]]:
    """Each folder with the names of its files; a link to a folder that it lies in is not followed round in a circle."""
    for folder, below, names in os.walk(root, followlinks=follow_links):
        yield folder, names
        if follow_links:
            here = Path(os.path.realpath(folder))
            around = {here, *here.parents}
            below[:] = [one for one in below if Path(os.path.realpath(Path(folder) / one)) not in around]


def _by_class(
    root: Path, class_names: Sequence[str] | None, formats: Sequence[str], follow_links: bool, where: str
) -> tuple[list[str], list[Any], list[str]]:
    folders = sorted(one.name for one in root.iterdir() if one.is_dir())
    names = folders if class_names is None else [str(one) for one in class_names]
    unknown = [name for name in names if name not in folders]
    if unknown:
        raise ArgumentError(
            f"class_names among the folders {folders}", f"{unknown}", where, "Each class is a folder with its files."
        )
    paths: list[str] = []
    numbers: list[int] = []
    for number, name in enumerate(names):
        found = _files_below(root / name, formats, follow_links)
        paths += found
        numbers += [number] * len(found)
    return paths, numbers, names


def _given_labels(labels: Any, paths: list[str], root: Path, where: str) -> tuple[list[Any], list[str]]:
    given = list(labels.tolist() if isinstance(labels, np.ndarray) else labels)
    if len(given) != len(paths):
        raise ArgumentError(
            f"one label for each of the {len(paths)} files in {str(root)!r}", f"{len(given)} labels", where,
            "They go with the files in alphabetic order of their paths.",
        )  # fmt: skip
    return given, sorted({str(one) for one in given})


def _encode(numbers: list[Any] | None, label_mode: str | None, class_names: Sequence[str] | None) -> np.ndarray | None:
    if numbers is None or label_mode is None:
        return None
    if any(isinstance(one, str) for one in numbers):
        return np.array([str(one) for one in numbers], dtype=object)
    values = np.asarray(numbers)
    if label_mode == "binary":
        return values.astype(np.float32)[:, None]
    if label_mode == "categorical":
        return np.eye(len(class_names or ()), dtype=np.float32)[values]
    return values.astype(np.int32) if values.dtype.kind in "iub" else values


def _nothing_found(root: Path, formats: Sequence[str], kind: str, follow_links: bool, where: str) -> ArgumentError:
    others: dict[str, int] = {}
    for _, names in _walk(root, follow_links):
        for name in names:
            ending = Path(name).suffix.lower() or name
            others[ending] = others.get(ending, 0) + 1
    got = f"{sum(others.values())} others ({', '.join(sorted(others)[:8])})" if others else "an empty folder"
    below = [one for one in root.iterdir() if not one.is_dir() and one.suffix.lower() in formats]
    fix = "With labels='inferred' each class is a folder with its files; labels=None takes them all." if below else ""
    return ArgumentError(f"{kind} files ({', '.join(formats)}) in {str(root)!r}", got, where, fix)
