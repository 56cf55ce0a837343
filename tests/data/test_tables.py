"""Tables in files as datasets: kinds of columns, gaps, labels, splits, packed and large files, and what is refused."""

import bz2
import gzip
import json
import lzma
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import hornbeam
from hornbeam.data import table_dataset, table_files

pyarrow = pytest.importorskip("pyarrow", reason="the data extra")

PEOPLE = """name, age, height, member, town
Ann, 31, 1.7, true, Ulm
Bob, , 1.82, false, ?
"Cid, Jr", 5, nan, true,"Graz
an der Mur"
Dan, 77, 2, false, Ulm
"""


@pytest.fixture
def people(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    return tmp_path / "people.csv"


def table(path, **options):
    return table_dataset(path, **{"shuffle": False, "verbose": False, **options})


def whole(data):
    """All batches of a dataset as one: dict of lists, and labels."""
    columns, labels = {}, []
    for batch in data:
        row, label = batch if isinstance(batch, tuple) else (batch, [])
        for name, values in row.items():
            columns.setdefault(name, []).extend(values.tolist())
        labels += np.asarray(label).tolist()
    return columns, labels


# ---- columns -------------------------------------------------------------------------------------------------------


def test_kinds_are_seen(people, capsys):
    data = table_dataset(people, shuffle=False)
    assert capsys.readouterr().out == "Found 4 rows in 1 file.\n"
    [batch] = data
    assert data.column_dtypes == {
        "name": "string", "age": "float32", "height": "float32", "member": "bool", "town": "string",
    }  # fmt: skip
    assert {name: values.dtype.name for name, values in batch.items()} == {
        "name": "object", "age": "float32", "height": "float32", "member": "bool", "town": "object",
    }  # fmt: skip
    assert batch["name"].tolist() == ["Ann", "Bob", "Cid, Jr", "Dan"]
    assert batch["town"].tolist() == ["Ulm", "", "Graz\nan der Mur", "Ulm"]
    assert np.array_equal(batch["age"], np.float32([31, np.nan, 5, 77]), equal_nan=True)
    assert np.array_equal(batch["height"], np.float32([1.7, 1.82, np.nan, 2]), equal_nan=True)
    assert batch["member"].tolist() == [True, False, True, False]


KINDS = {  # values of a column: dtype, and what it gives
    "1 2 3": ("int64", [1, 2, 3]),
    "1 2.5 -3e2": ("float32", [1, 2.5, -300]),
    "9223372036854775807 -9223372036854775808 0": ("int64", [2**63 - 1, -(2**63), 0]),
    "1 x 3": ("string", ["1", "x", "3"]),
    "true false TRUE": ("bool", [True, False, True]),
    "true 1 2": ("string", ["true", "1", "2"]),
    "2024-01-02 2024-01-03 2024-01-04": ("string", ["2024-01-02", "2024-01-03", "2024-01-04"]),
    "007 010 1": ("int64", [7, 10, 1]),
    "inf 1 -inf": ("float32", [np.inf, 1, -np.inf]),
    "true ? false": ("string", ["true", "", "false"]),
}


@pytest.mark.parametrize("values", KINDS)
def test_kinds(tmp_path, values):
    path = tmp_path / "x.csv"
    path.write_text("a\n" + "\n".join(values.split()) + "\n")
    data = table(path)
    dtype, expected = KINDS[values]
    assert data.column_dtypes == {"a": dtype} and whole(data)[0]["a"] == expected


@pytest.mark.parametrize(
    ("options", "name", "dtype", "expected"),
    [
        ({"dtypes": {"age": "string"}}, "age", "object", ["31", "", "5", "77"]),
        ({"dtypes": {"age": "int32"}, "missing": {"age": -1}}, "age", "int32", [31, -1, 5, 77]),
        ({"missing": {"age": 0}}, "age", "int64", [31, 0, 5, 77]),
        ({"missing": {"town": "nowhere"}}, "town", "object", ["Ulm", "nowhere", "Graz\nan der Mur", "Ulm"]),
        ({"dtypes": {"town": "category"}}, "town", "int32", [1, -1, 0, 1]),
        ({"dtypes": {"town": "category"}, "missing": {"town": "Ulm"}}, "town", "int32", [1, 1, 0, 1]),
        ({"dtypes": {"member": "category"}}, "member", "int32", [1, 0, 1, 0]),
        ({"dtypes": {"height": "float64"}, "missing": "skip"}, "height", "float64", [1.7, 2.0]),
        ({"missing_values": ["", "nan", "31"], "missing": {"age": 0.5}}, "town", "object",
         ["Ulm", "?", "Graz\nan der Mur", "Ulm"]),
        ({"columns": ["town", "name"]}, "name", "object", ["Ann", "Bob", "Cid, Jr", "Dan"]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:2 rows lack values")
def test_what_is_asked_for(people, options, name, dtype, expected):
    data = table(people, **options)
    [batch] = data
    assert batch[name].dtype == dtype and batch[name].tolist() == expected
    assert list(batch) == options.get("columns", list(batch))
    if "category" in options.get("dtypes", {}).values():
        assert list(data.vocabularies) == [name]


def test_rows_without_values_are_counted(people):
    with pytest.warns(UserWarning, match=r"2 rows lack values and were left out: 'age' 1, 'height' 1, 'town' 1"):
        assert whole(table(people, missing="skip"))[0]["name"] == ["Ann", "Dan"]


LABELS = {
    "text": ({"label": "town", "missing": "skip"}, [0, 0], ["Ulm"]),
    "filled text": ({"label": "town", "missing": {"town": "Wien"}}, [1, 2, 0, 1], ["Graz\nan der Mur", "Ulm", "Wien"]),
    "filled numbers": ({"label": "age", "missing": {"age": 0}}, [31, 0, 5, 77], None),
    "numbers": ({"label": "age", "missing": "skip"}, [31, 77], None),
    "numbered numbers": ({"label": "age", "label_mode": "int", "missing": "skip"}, [0, 1], ["31", "77"]),
    "given names": ({"label": "name", "class_names": ["Dan", "Cid, Jr", "Bob", "Ann"]}, [3, 2, 1, 0],
                    ["Dan", "Cid, Jr", "Bob", "Ann"]),
    "categorical": ({"label": "name", "label_mode": "categorical"}, np.eye(4).tolist(),
                    ["Ann", "Bob", "Cid, Jr", "Dan"]),
    "binary": ({"label": "member", "label_mode": "binary"}, [[1.0], [0.0], [1.0], [0.0]], ["false", "true"]),
    "as they are": ({"label": "member"}, [True, False, True, False], None),
    "text as it is": ({"label": "name", "label_mode": None}, ["Ann", "Bob", "Cid, Jr", "Dan"], None),
}  # fmt: skip


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.filterwarnings("ignore:.* rows lack values")
def test_labels(people, name):
    options, labels, classes = LABELS[name]
    data = table(people, **options)
    columns, found = whole(data)
    assert found == labels and data.class_names == classes and options["label"] not in columns


# ---- files ---------------------------------------------------------------------------------------------------------


PACKERS = {
    "plain": lambda text: text, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
    "zst": lambda text: pyarrow.compress(text, codec="zstd", asbytes=True),
}  # fmt: skip


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_files(tmp_path, packer, people):
    path = tmp_path / ("x.csv" if packer == "plain" else f"x.csv.{packer}")
    path.write_bytes(PACKERS[packer](PEOPLE.encode()))
    assert str(whole(table(path))) == str(whole(table(people)))
    if packer != "plain":
        path.write_bytes(path.read_bytes()[:-5])
        with pytest.raises(OSError, match=rf"x\.csv\.{packer}: expected a whole file"):
            table(path)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a;b\n1;x,y\n2;'z;'\n", {"delimiter": ";", "quote": "'"}),
        ("1\tx,y\n2\tz;\n", {"delimiter": "\t", "header": ["a", "b"]}),
        ('\n\na,b\n\n1,"x,y"\n\n2,z;', {}),
        ('a,b\r\n1,"x,y"\r\n2,z;\r\n', {}),
        ('\ufeffa,b\n1,"x,y"\n2,z;\n', {}),
    ],
    ids=["semicolons", "tabs", "empty lines", "Windows", "mark"],
)
def test_forms_of_csv(tmp_path, text, options):
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    assert whole(table(path, **options))[0] == {"a": [1, 2], "b": ["x,y", "z;"]}


def test_no_header(tmp_path):
    (tmp_path / "x.csv").write_text("1,x\n2,y\n")
    assert whole(table(tmp_path / "x.csv", header=False))[0] == {"column_0": [1, 2], "column_1": ["x", "y"]}


def test_other_encodings(tmp_path):
    path = tmp_path / "x.csv"
    for encoding in ("latin-1", "utf-16"):
        path.write_bytes("a,b\n1,é\n".encode(encoding))
        assert whole(table(path, encoding=encoding))[0] == {"a": [1], "b": ["é"]}
    path.write_bytes("a,b\n1,e\n2,é\n".encode("latin-1"))
    with pytest.raises(OSError, match=r"x\.csv, line 3: expected text in utf-8, got byte 0xe9.*latin-1"):
        table(path)


def test_several_files(tmp_path, capsys):
    for number in range(3):
        (tmp_path / f"part{number}.csv").write_text(f"a,b\n{number},x\n{number + 0.5},y\n")
    everything = {"a": [0, 0.5, 1, 1.5, 2, 2.5], "b": ["x", "y"] * 3}
    data = table_dataset(str(tmp_path / "part*.csv"), shuffle=False)
    assert "6 rows in 3 files" in capsys.readouterr().out and whole(data)[0] == everything
    assert [path[-9:] for path in data.file_paths] == ["part0.csv", "part1.csv", "part2.csv"]
    assert whole(table([tmp_path / f"part{number}.csv" for number in range(3)]))[0] == everything
    (tmp_path / "part9.csv").write_text("a,c\n1,2\n")
    with pytest.raises(ValueError, match=r"same columns.*'b'.*'c'.*part9\.csv"):
        table(str(tmp_path / "part*.csv"))


def test_parquet(tmp_path):
    values = {
        "whole": pyarrow.array([1, 2, None], pyarrow.int16()), "real": pyarrow.array([0.5, float("nan"), 2]),
        "text": pyarrow.array(["a", None, " c "]), "kind": pyarrow.array(["u", "v", "u"]).dictionary_encode(),
        "flag": pyarrow.array([True, False, True]), "exact": pyarrow.array([1, 2, 3], pyarrow.decimal128(9, 2)),
        "day": pyarrow.array([0, 1, 2], pyarrow.date32()),
    }  # fmt: skip
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pyarrow.table(values), path, row_group_size=2)
    names = [one for one in values if one != "day"]
    columns, labels = whole(table(path, columns=names[:-1], label="exact", missing={"whole": 7, "real": 9}))
    assert columns == {
        "whole": [1, 2, 7], "real": [0.5, 9, 2], "text": ["a", "", "c"], "kind": ["u", "v", "u"],
        "flag": [True, False, True],
    } and labels == [1, 2, 3]  # fmt: skip
    with pytest.raises(ValueError, match=r"date32.* in column 'day'.*columns="):
        table(path)
    with pytest.raises(OSError, match=r"x\.parquet, row 2: expected a value in each row of column 'real'") as caught:
        table(path, columns=names, missing="raise", missing_values=())
    assert "missing='keep'" in str(caught.value)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(OSError, match="expected a Parquet file"):
        table(path)


# ---- orders, splits and places --------------------------------------------------------------------------------------

ROWS = 5000


@pytest.fixture(params=["in memory", "in blocks", "packed, in blocks", "parquet, in blocks"])
def numbers(request, tmp_path, monkeypatch):
    """5,000 rows with their numbers, in files of several blocks unless all fit into memory; options to read them."""
    monkeypatch.setattr(table_files, "BLOCK_BYTES", 4000)
    text = "number,word\n" + "".join(f'{row},"{row}\n{"long " * (row % 7)}"\n' for row in range(ROWS))
    path = tmp_path / "x.csv"
    path.write_text(text)
    memory = 1 << 30 if request.param == "in memory" else 60_000
    if request.param.startswith("packed"):
        path = tmp_path / "x.csv.gz"
        path.write_bytes(gzip.compress(text.encode()))
    elif request.param.startswith("parquet"):
        frame = pyarrow.table(
            {"number": np.arange(ROWS), "word": [f"{row}\n{'long ' * (row % 7)}" for row in range(ROWS)]}
        )
        path = tmp_path / "x.parquet"
        pyarrow.parquet.write_table(frame, path, row_group_size=300)
    return path, {"memory": memory, "verbose": False}


def test_rows_in_order(numbers):
    path, options = numbers
    data = table(path, **options)
    columns, _ = whole(data)
    assert columns["number"] == list(range(ROWS)) and len(data) == -(-ROWS // 32)
    assert [int(word.split("\n")[0]) for word in columns["word"]] == list(range(ROWS))
    assert next(iter(data.skip(100)))["number"][0] == 3200


@pytest.mark.parametrize("workers", [0, 2])
def test_random_orders(numbers, workers):
    path, options = numbers
    data = table_dataset(path, seed=3, workers=workers, **options)
    first, second = whole(data)[0]["number"], whole(data)[0]["number"]
    assert sorted(first) == sorted(second) == list(range(ROWS)) and first != second
    assert first != list(range(ROWS))
    again = table_dataset(path, seed=3, **options)
    assert whole(again)[0]["number"] == first, "the order follows from the seed, not from the workers"
    assert whole(table_dataset(path, seed=4, **options))[0]["number"] != first
    correlation = np.corrcoef(first, np.arange(ROWS))[0, 1]
    assert abs(correlation) < (0.1 if options["memory"] > ROWS * 100 else 1.0)


@pytest.mark.parametrize("shuffle", [True, False])
def test_splits(numbers, shuffle):
    path, options = numbers
    options = {**options, "shuffle": shuffle, "validation_split": 0.2}
    training, validation = table_dataset(path, subset="both", seed=1, **options)
    left, right = whole(training)[0]["number"], whole(validation)[0]["number"]
    assert len(right) == ROWS // 5 and sorted(left + right) == list(range(ROWS))
    assert whole(validation)[0]["number"] == right, "validation keeps its order"
    if shuffle:
        assert 300 < sum(number >= ROWS // 2 for number in right) < 700
    else:
        assert right == list(range(ROWS * 4 // 5, ROWS))
    for subset, rows in (("training", left), ("validation", right)):
        assert sorted(whole(table_dataset(path, subset=subset, seed=1, **options))[0]["number"]) == sorted(rows)


def test_a_place_is_found_again(numbers):
    path, options = numbers
    data = table_dataset(path, seed=5, **options)
    list(data)  # a place in the second pass
    iterator = iter(data)
    begun = [next(iterator)["number"].tolist() for _ in range(61)]
    state = json.loads(json.dumps(iterator.state()))
    rest = [batch["number"].tolist() for batch in iterator]
    again = table_dataset(path, seed=9, **options)
    again.restore(state)
    assert [batch["number"].tolist() for batch in again] == rest
    assert sorted(number for batch in begun + rest for number in batch) == list(range(ROWS))


def test_other_processes(numbers):
    path, options = numbers
    data = table_dataset(path, seed=2, **options)
    first = whole(data)[0]["number"]  # a thread of this process has read
    assert whole(pickle.loads(pickle.dumps(table_dataset(path, seed=2, **options))))[0]["number"] == first
    total = [int(x) for x in data.map(lambda batch: batch["number"].sum(), workers=2, processes=True)]
    assert sum(total) == ROWS * (ROWS - 1) // 2
    torch = pytest.importorskip("torch", reason="format='torch'")
    data = table_dataset(path, seed=2, format="torch", **options)
    assert len(list(data)) == 157
    workers = {"num_workers": 2, "timeout": 60, "multiprocessing_context": "fork"}
    loaded = torch.utils.data.DataLoader(data, batch_size=None, **workers)
    assert sorted(whole({"number": batch["number"]} for batch in loaded)[0]["number"]) == list(range(ROWS))


def test_single_rows_and_what_follows(people):
    data = table(people, label="name", batch_size=None)
    row, label = next(iter(data))
    assert row["age"] == 31 and row["town"] == "Ulm" and label == 0 and row["age"].shape == ()
    assert next(row["age"] for row, _ in data.map(lambda row, label: (row, label)).batch(2)).tolist()[0] == 31
    assert data.class_names == ["Ann", "Bob", "Cid, Jr", "Dan"]


def test_no_more_than_some_blocks_are_held(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "BLOCK_BYTES", 4000)
    path = tmp_path / "x.csv"
    path.write_text("a\n" + "".join(f"{row}\n" for row in range(50_000)))
    data = table_dataset(path, memory=24_000, seed=1, verbose=False)
    node = data._node.parents[0]
    most = 0
    for _ in data:
        most = max(most, sum(len(one.result()["a"]) for one in list(node._loaded.values()) if one.done()))
    assert 0 < most < 15_000 and not node._table._kept


# ---- rows that cannot be used --------------------------------------------------------------------------------------

RAGGED = 'a,b\n1,2\n3,"x\ny"\n4\n5,6,7\n\n8,9\n'


def test_uneven_rows(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(RAGGED)
    with pytest.raises(OSError, match=r"x\.csv, line 5: expected a row that can be used, got 1 parts where 2 belong"):
        table(path)
    data = table(path, on_error="skip")
    assert len(data.skipped_rows) == 2 and data.skipped_rows[1].endswith("x.csv, line 6: 3 parts where 2 belong")
    with pytest.warns(UserWarning, match=r"2 rows of the table were left out: .*line 5.*line 6"):
        assert whole(data)[0] == {"a": [1, 3, 8], "b": ["2", "x\ny", "9"]}
    whole(data)  # told once


def test_values_that_do_not_fit(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n\nx,3\n2.5,4\n,5\n7,6\n")
    with pytest.raises(OSError, match=r"x\.csv, line 4: .*got 'x' where column 'a' has int64"):
        table(path, dtypes={"a": "int64"}, missing={"a": 0})
    data = table(path, dtypes={"a": "int64"}, missing={"a": 0}, on_error="skip")
    with pytest.warns(UserWarning, match=r"line 4: 'x' where.*line 5: '2\.5'"):
        assert whole(data)[0] == {"a": [1, 0, 7], "b": [2, 5, 6]}


def test_lines_in_later_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "BLOCK_BYTES", 500)
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + '1,"\n"\n' * 300 + "1,2,3\n" + '1,"\n"\n' * 300)
    with pytest.raises(OSError, match=r"x\.csv, line 602: .*3 parts"):
        table(path)


def test_a_failing_map_names_file_and_line(people):
    def fail(row):
        if row["name"] == "Dan":
            raise KeyError("no Dan")
        return row

    start = time.monotonic()
    with pytest.raises(KeyError, match="no Dan") as caught:
        list(table(people, batch_size=None).map(fail, workers=2))
    assert time.monotonic() - start < 5
    assert any("people.csv, line 6" in note for note in caught.value.__notes__)


def test_a_file_that_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "BLOCK_BYTES", 100)
    path = tmp_path / "x.csv"
    path.write_text("a\n" + "1\n" * 500)
    data = table(path, memory=200)
    path.write_text("a\n" + "11\n" * 200)
    with pytest.raises(OSError, match="Make the dataset anew"):
        list(data)


def test_a_quote_that_never_closes(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "BLOCK_BYTES", 100)
    monkeypatch.setattr(table_files, "_LONGEST", 800)
    (tmp_path / "x.csv").write_text("a\n" + "1\n" * 100 + '5"\n' + "1\n" * 1000)
    with pytest.raises(OSError, match="never closes"):
        table(tmp_path / "x.csv")


REFUSED = {
    "no file": (lambda p: table(p.parent / "none.csv"), FileNotFoundError, "none.csv"),
    "no match": (lambda p: table(str(p.parent / "*.tsv")), FileNotFoundError, "pattern"),
    "a folder": (lambda p: table(p.parent), ValueError, r"folder/\*\.csv"),
    "no path": (lambda p: table(3), TypeError, "a path"),
    "no files": (lambda p: table([]), ValueError, "at least one file"),
    "label": (lambda p: table(p, label="ages"), ValueError, "Did you mean 'age'"),
    "column": (lambda p: table(p, columns=["ages"]), ValueError, "Did you mean 'age'"),
    "columns": (lambda p: table(p, columns="age"), TypeError, "a list of columns"),
    "columns twice": (lambda p: table(p, columns=["age", "age"]), ValueError, "different columns"),
    "label in columns": (lambda p: table(p, columns=["age"], label="age"), ValueError, "without the label"),
    "dtype": (lambda p: table(p, dtypes={"age": "int16"}), ValueError, "int32"),
    "dtype of none": (lambda p: table(p, dtypes={"agee": "int64"}), ValueError, "Did you mean 'age'"),
    "gaps in int": (lambda p: table(p, dtypes={"age": "int64"}), ValueError, "'age', since int64.*missing="),
    "gaps": (lambda p: table(p, missing="raise"), OSError, r"line 3: expected a value in each row of column 'age'"),
    "gaps in labels": (lambda p: table(p, label="town"), ValueError, "a label in each row.*missing='skip'"),
    "missing": (lambda p: table(p, missing="drop"), ValueError, "skip"),
    "missing of none": (lambda p: table(p, missing={"x": 0}), ValueError, "column"),
    "label_mode": (lambda p: table(p, label="age", label_mode="ints"), ValueError, "Did you mean 'int'"),
    "class_names": (lambda p: table(p, label="name", class_names=["Ann"]), ValueError, "each label of the table"),
    "class_names without": (
        lambda p: table(p, label="name", label_mode=None, class_names=["a"]), ValueError, "label_mode=None"),
    "binary": (lambda p: table(p, label="name", label_mode="binary"), ValueError, "exactly 2 classes"),
    "batch_size": (lambda p: table(p, batch_size=0), ValueError, "positive"),
    "memory": (lambda p: table(p, memory=None), TypeError, "memory"),
    "file_format": (lambda p: table(p, file_format="json"), ValueError, "parquet"),
    "delimiter": (lambda p: table(p, delimiter=",,"), ValueError, "one ASCII character as delimiter"),
    "quote": (lambda p: table(p, quote=""), ValueError, "one ASCII character as quote"),
    "header": (lambda p: table(p, header="age"), TypeError, "names of the columns"),
    "header twice": (lambda p: table(p, header=["a"] * 5), OSError, "a different name"),
    "encoding": (lambda p: table(p, encoding="utf-9"), ValueError, "encoding"),
    "on_error": (lambda p: table(p, on_error="ignore"), ValueError, "skip"),
    "format": (lambda p: table(p, format="pytorch"), ValueError, "Did you mean 'torch'"),
    "split alone": (lambda p: table(p, validation_split=0.5), ValueError, "together"),
    "split leaves none": (lambda p: table(p, validation_split=0.01, subset="both"), ValueError, "leaves rows"),
    "split without a seed": (
        lambda p: table(p, validation_split=0.5, subset="training", shuffle=True), ValueError, "overlap"),
    "empty": (lambda p: [p.write_text(""), table(p)], OSError, "an empty file"),
    "no rows": (lambda p: [p.write_text("a,b\n"), table(p)], ValueError, "at least one row"),
    "one name twice": (lambda p: [p.write_text("a,a\n1,2\n"), table(p)], OSError, "a different name"),
    "no Parquet": (lambda p: table(p, file_format="parquet"), OSError, "Parquet"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, people):
    make, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        make(people)


# ---- real tables, other packages, training --------------------------------------------------------------------------


def test_the_census_is_what_pandas_reads(shared):
    pandas = pytest.importorskip("pandas", reason="the data extra")
    path = shared / "data" / "adult.csv"
    frame = pandas.read_csv(path, skipinitialspace=True, na_values="?", keep_default_na=False)
    columns, labels = whole(table(path, label="income", batch_size=4096))
    for name in frame.columns[:-1]:
        expected = frame[name].fillna("") if frame[name].dtype.kind not in "if" else frame[name]
        assert columns[name] == expected.tolist(), name
    assert labels == (frame["income"] == ">50K").astype(int).tolist()
    cancer = table(shared / "data" / "mammography.csv", quote="'", header=False, label="column_6", label_mode="binary")
    assert cancer.class_names == ["-1", "1"] and sum(float(y.sum()) for _, y in cancer) == 260


def test_other_packages(people):
    torch = pytest.importorskip("torch", reason="format='torch'")
    [(row, label)] = table(people, label="age", columns=["height", "town"], missing={"age": 0}, format="torch")
    assert torch.is_tensor(row["height"]) and label.tolist() == [31, 0, 5, 77] and row["town"][0] == "Ulm"
    pytest.importorskip("grain", reason="format='grain'")
    data = table(people, format="grain", batch_size=4)
    assert next(iter(data))["member"].tolist() == [True, False, True, False] and data.column_dtypes["age"] == "float32"


def test_models_train_from_tables(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    rows = "".join(f"{a},{b},{'up' if a + b > 0 else 'down'}\n" for a, b in x)
    (tmp_path / "x.csv").write_text("a,b,way\n" + rows)
    layers = hornbeam.layers
    inputs = {name: hornbeam.Input((1,), name=name) for name in "ab"}
    model = hornbeam.Model(inputs, layers.Dense(1, "sigmoid")(layers.Concatenate()(list(inputs.values()))))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    data = table_dataset(tmp_path / "x.csv", label="way", label_mode="binary", seed=0, verbose=False)
    data = data.map(lambda row, label: ({name: values[:, None] for name, values in row.items()}, label))
    if "gradients" in hornbeam.backend.active.features:
        model.fit(data, epochs=2, verbose=0)
    assert np.isfinite(model.evaluate(data, verbose=0)).all()


PROGRAM = r"""
import json, sys, time
from hornbeam.data import table_dataset
def put_together(row):
    time.sleep(0.002)
    return row
def rows():
    data = table_dataset(sys.argv[1], batch_size=4, memory=2000, seed=3, verbose=False)
    return data.map(put_together, workers=2, processes=sys.argv[2] == "processes")
data, seen = rows(), []
try:
    for batch in data:
        seen.append(batch["number"].tolist())
        if len(seen) in (2, 6):
            print("at", len(seen), flush=True)
        time.sleep(0.02)
except KeyboardInterrupt:
    state = json.dumps(data.state())
    again = rows()
    again.restore(json.loads(state))
    rest = [batch["number"].tolist() for batch in again]
    print(json.dumps([seen, rest, [batch["number"].tolist() for batch in rows()]]), flush=True)
"""


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_ctrl_c_leaves_no_process_and_the_place_is_kept(kind, tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("number,text\n" + "".join(f"{one},some text {one}\n" for one in range(800)))
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), kind], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "HORNBEAM_BACKEND": "numpy"}, start_new_session=True,
    )  # fmt: skip
    while child.stdout.readline().strip() != "at 6":
        assert child.poll() is None
    os.killpg(child.pid, signal.SIGINT)  # as a terminal sends it: to the whole group
    out, _ = child.communicate(timeout=20)
    assert child.returncode == 0
    with pytest.raises(ProcessLookupError):  # nobody is left in the group
        os.killpg(child.pid, 0)
    seen, rest, full = json.loads(out)
    assert 6 <= len(seen) < len(full) == 200
    # the batch in which it came may have been taken and not be noted yet
    assert full[: len(seen)] == seen and rest in (full[len(seen) :], full[len(seen) + 1 :])
