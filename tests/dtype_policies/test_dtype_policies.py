"""Dtype policies: names, dtypes, the global one, maps, and the dicts that files carry."""

import json

import numpy as np
import pytest

from hornbeam import _config, dtype_policies, mixed_precision
from hornbeam.backend import active as backend
from hornbeam.dtype_policies import (
    AWQDTypePolicy,
    DTypePolicy,
    DTypePolicyMap,
    FloatDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)
from hornbeam.symbolic import KerasTensor


@pytest.fixture(autouse=True)
def _default_policy():
    yield
    dtype_policies.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("float16", "float16", "float16"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("float64", "float64", "float64"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
        ("int32", "int32", "int32"),
        ("bool", "bool", "bool"),
        ("string", "string", "string"),
    ],
)
@pytest.mark.parametrize("make", [DTypePolicy, FloatDTypePolicy, dtype_policies.get])
def test_names(make, name, compute, variable):
    policy = make(name)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (name, compute, variable)
    assert policy.quantization_mode is None
    assert type(policy).from_config(policy.get_config()) == policy
    assert repr(policy) == f'<DTypePolicy "{name}">'


@pytest.mark.parametrize("name", ["foo", "mixed_float32", "mixed_float64", "int8_from_float32", ""])
def test_unknown_names_are_value_errors(name):
    with pytest.raises(ValueError, match="expected the name of a known dtype policy"):
        DTypePolicy(name)


def test_near_names_are_listed():
    with pytest.raises(ValueError, match="Did you mean 'mixed_bfloat16'"):
        dtype_policies.get("mixed_bfloat61")


@pytest.mark.parametrize("name", [3, 1.0, ["float32"]])
def test_a_name_is_a_string(name):
    with pytest.raises(TypeError, match="name of a dtype policy"):
        DTypePolicy(name)


@pytest.mark.parametrize(
    ("identifier", "name"), [(np.float32, "float32"), (np.dtype("float16"), "float16"), (float, "float32")]
)
def test_dtypes_are_policies(identifier, name):
    assert dtype_policies.get(identifier).name == name


@pytest.mark.parametrize("identifier", [3, ["float32"], object()])
def test_get_refuses_the_rest(identifier):
    with pytest.raises(ValueError, match="a dtype policy, its name, a dtype or None"):
        dtype_policies.get(identifier)


def test_the_wire_form_is_that_of_keras():
    assert dtype_policies.serialize(DTypePolicy("mixed_float16")) == {
        "module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}, "registered_name": None,
    }  # fmt: skip
    assert dtype_policies.serialize(QuantizedFloat8DTypePolicy("float8", "float32")) == {
        "module": "keras.dtype_policies", "class_name": "QuantizedFloat8DTypePolicy",
        "config": {"mode": "float8", "source_name": "float32", "amax_history_length": 1024}, "registered_name": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "policy",
    [
        DTypePolicy("bfloat16"),
        FloatDTypePolicy("mixed_float16"),
        QuantizedDTypePolicy("int8", "mixed_bfloat16"),
        QuantizedFloat8DTypePolicy("float8", "float32", 12),
        Int4DTypePolicy("int4/-1", "float32"),
        GPTQDTypePolicy("gptq/4/128", "float32"),
        AWQDTypePolicy("awq/4/-1", "mixed_bfloat16"),
        DTypePolicyMap("mixed_bfloat16", {"a/b": DTypePolicy("float16"), "c": QuantizedDTypePolicy("int8", "float32")}),
    ],
    ids=repr,
)
def test_round_trip(policy):
    config = json.loads(json.dumps(dtype_policies.serialize(policy)))
    back = dtype_policies.get(config)
    assert type(back) is type(policy)
    assert back == policy
    assert dtype_policies.serialize(back) == dtype_policies.serialize(policy)


def test_older_dicts_without_a_module():
    assert dtype_policies.get({"class_name": "DTypePolicy", "config": {"name": "float16"}}) == DTypePolicy("float16")


def test_equality():
    assert DTypePolicy("float32") == FloatDTypePolicy("float32")
    assert hash(DTypePolicy("float32")) == hash(FloatDTypePolicy("float32"))
    assert DTypePolicy("float32") != "float32"
    assert DTypePolicy("float32") != DTypePolicy("float16")


# --- the global policy -------------------------------------------------------------------------------------------


def test_global_policy():
    assert dtype_policies.dtype_policy().name == "float32"
    mixed_precision.set_global_policy("mixed_bfloat16")
    assert dtype_policies.get(None) is mixed_precision.global_policy()
    assert DTypePolicy().name == "mixed_bfloat16"
    dtype_policies.set_dtype_policy(mixed_precision.Policy("float16"))
    assert dtype_policies.dtype_policy().compute_dtype == "float16"


@pytest.mark.parametrize("policy", [None, 3, {"class_name": "DTypePolicy", "config": {"name": "float16"}}, "foo"])
def test_a_wrong_global_policy_changes_nothing(policy):
    dtype_policies.set_dtype_policy("mixed_float16")
    with pytest.raises(ValueError):
        dtype_policies.set_dtype_policy(policy)
    assert dtype_policies.dtype_policy().name == "mixed_float16"


def test_floatx_is_the_default(monkeypatch):
    from hornbeam.dtype_policies import policy

    monkeypatch.setattr(policy, "_global", None)
    monkeypatch.setattr(_config, "_floatx", "float16")
    assert dtype_policies.dtype_policy() == DTypePolicy("float16")


# --- inputs --------------------------------------------------------------------------------------------------------


def test_convert_input():
    policy = DTypePolicy("mixed_bfloat16")
    tensor = backend.asarray(np.ones(2, "float32"))
    assert backend.dtype(policy.convert_input(tensor, True, "bfloat16")) == "bfloat16"
    assert policy.convert_input(tensor, False, "bfloat16") is tensor
    assert backend.dtype(policy.convert_input(np.ones(2, "int32"), True, "bfloat16")) == "int32"
    assert policy.convert_input(3, True, "bfloat16") == 3
    assert policy.convert_input("a", True, "bfloat16") == "a"
    symbolic = KerasTensor((None, 2), "float32")
    assert policy.convert_input(symbolic, True, "bfloat16").dtype == "bfloat16"
    assert policy.convert_input(symbolic, False, "bfloat16") is symbolic


# --- quantized -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "mode", "compute"),
    [
        ("int8_from_float32", QuantizedDTypePolicy, "int8", "float32"),
        ("int4_from_mixed_bfloat16", QuantizedDTypePolicy, "int4", "bfloat16"),
        ("float8_from_mixed_float16", QuantizedFloat8DTypePolicy, "float8", "float16"),
        ("int4/128_from_float32", Int4DTypePolicy, "int4", "float32"),
        ("gptq/4/128_from_float32", GPTQDTypePolicy, "gptq", "float32"),
        ("awq/4/128_from_float32", AWQDTypePolicy, "awq", "float32"),
    ],
)
def test_quantized_names(name, kind, mode, compute):
    policy = dtype_policies.get(name)
    assert type(policy) is kind
    assert (policy.name, policy.quantization_mode, policy.compute_dtype) == (name, mode, compute)


@pytest.mark.parametrize(
    "name",
    [
        "int8", "float8", "int8_from_foo", "_from_float32", "int8_from_float16", "int8_from_mixed_float16",
        "gptq/4_from_float32", "gptq/5/128_from_float32", "gptq/4/0_from_float32", "awq/8/128_from_float32",
        "awq/4/-2_from_float32", "int4/0_from_float32", "int4/x_from_float32", "int3_from_float32",
    ],
)  # fmt: skip
def test_wrong_quantized_names(name):
    with pytest.raises(ValueError, match="expected"):
        dtype_policies.get(name)


def test_parts_of_modes():
    assert (GPTQDTypePolicy("gptq/3/64").weight_bits, GPTQDTypePolicy("gptq/3/64").group_size) == (3, 64)
    assert Int4DTypePolicy("int4/32").block_size == 32
    with pytest.raises(TypeError, match="amax_history_length"):
        QuantizedFloat8DTypePolicy("float8", amax_history_length=3.0)


# --- maps ----------------------------------------------------------------------------------------------------------


def test_map_lookup():
    policies = DTypePolicyMap("mixed_bfloat16")
    assert policies
    policies["layer/dense_0"] = "float16"
    policies["block/.*"] = DTypePolicy("bfloat16")
    assert policies["layer/dense_0"].name == "float16"
    assert policies["block/1"].name == "bfloat16"
    for path in ("block", "layer/dense_0/q", "x/layer/dense_0", "other"):
        assert policies[path].name == "mixed_bfloat16"
    assert policies.name == "map_mixed_bfloat16"
    assert (policies.compute_dtype, policies.variable_dtype) == ("bfloat16", "float32")
    assert list(policies) == ["layer/dense_0", "block/.*"]
    assert [(path, policy.name) for path, policy in policies.items()] == [
        ("layer/dense_0", "float16"), ("block/.*", "bfloat16"),
    ]  # fmt: skip
    assert policies.pop("layer/dense_0").name == "float16"
    assert len(policies) == 1


def test_map_errors():
    policies = DTypePolicyMap(policy_map={"a": "float16", "b.*": "float16", "bb.*": "bfloat16"})
    with pytest.raises(ValueError, match="not in the map yet"):
        policies["a"] = "float32"
    assert policies["a"].name == "float16"
    with pytest.raises(KeyError, match="a path of the map"):
        del policies["zz"]
    with pytest.raises(ValueError, match="one pattern"):
        policies["bbb"]
    with pytest.raises(TypeError, match="a dict"):
        DTypePolicyMap(None, [1])
    with pytest.raises(ValueError, match="no map itself"):
        DTypePolicyMap(DTypePolicyMap())


def test_map_without_a_default_follows_the_global_policy_of_its_time():
    assert DTypePolicyMap().get_config() == {"default_policy": None, "policy_map": {}}
    assert DTypePolicyMap().default_policy.name == "float32"
