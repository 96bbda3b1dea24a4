"""Stack files are read as Pulumi reads them, and mistakes in them are said in their own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from preflight.errors import ConfigurationError
from preflight.pulumi.project import Project

PROJECT = """
name: shop
runtime: python
config:
  owner: {type: object}
  size: {type: integer, default: 5}
  title: {type: string, default: hello}
  token: {type: string, secret: true, default: none}
  zones: {type: array, items: {type: string}, default: [a]}
  aws:region: {value: eu-west-1}
"""


def project(folder: Path, stack: str, declared: str = PROJECT) -> Project:
    (folder / "Pulumi.yaml").write_text(declared)
    (folder / "Pulumi.blue.yaml").write_text(stack)
    return Project.load(folder)


def test_defaults_stack_values_and_other_namespaces_become_one_configuration(tmp_path: Path) -> None:
    stack = project(tmp_path, "config:\n  shop:owner: {b: 2, a: [1, true]}\n  aws:allowedAccountIds: ['1']\n").stack(
        "blue"
    )
    assert stack.config == {
        "aws:allowedAccountIds": '["1"]',
        "aws:region": "eu-west-1",
        "shop:owner": '{"a":[1,true],"b":2}',
        "shop:size": "5",
        "shop:title": "hello",
        "shop:token": "none",
        "shop:zones": '["a"]',
    }
    assert stack.secret_keys == ("shop:token",)


def test_a_key_without_a_namespace_is_the_projects(tmp_path: Path) -> None:
    assert project(tmp_path, "config:\n  owner: {}\n  size: 7\n").stack("blue").config["shop:size"] == "7"


def test_a_namespace_that_another_program_may_read_is_accepted(tmp_path: Path) -> None:
    stack = project(
        tmp_path, "config:\n  owner: {}\n  guardrails:profile: baseline\n  network:cidr: 10.0.0.0/16\n"
    ).stack("blue")
    assert (stack.config["guardrails:profile"], stack.config["network:cidr"]) == ("baseline", "10.0.0.0/16")
    with pytest.raises(ConfigurationError, match="unknown namespace awss"):
        project(tmp_path, "config:\n  owner: {}\n  awss:region: x\n").stack("blue")


def test_a_stacks_object_takes_the_place_of_the_default_as_a_whole(tmp_path: Path) -> None:
    declared = "name: shop\nconfig:\n  limits: {type: object, default: {a: 1, b: 2}}\n"
    stack = project(tmp_path, "config:\n  shop:limits: {a: 3}\n", declared).stack("blue")
    assert json.loads(stack.config["shop:limits"]) == {"a": 3}


def test_an_encrypted_value_gets_a_stand_in_and_is_a_secret(tmp_path: Path) -> None:
    text = "config:\n  shop:owner: {name: x, key: {secure: 'v1:abc:def'}}\n  shop:title: {secure: 'v1:1:2'}\n"
    stack = project(tmp_path, text).stack("blue")
    assert stack.secret_keys == ("shop:owner", "shop:title", "shop:token")
    assert json.loads(stack.config["shop:owner"])["key"].startswith("offline-")
    assert "v1:" not in "".join(stack.config.values())


def test_a_date_stays_the_text_that_was_written(tmp_path: Path) -> None:
    stack = project(tmp_path, "config:\n  shop:owner: {}\n  shop:title: 2026-11-24\n").stack("blue")
    assert stack.config["shop:title"] == "2026-11-24"


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("config:\n  shop:size: 1\n", "shop:owner is missing; Pulumi.yaml declares it without a default"),
        ("config:\n  shop:ownr: {}\n", "shop:owner is missing; did you mean it by shop:ownr?"),
        ("config:\n  shop:price: 1\n", "shop:owner is missing; Pulumi.yaml declares it without a default"),
        ("config:\n  shop:owner: text\n", "shop:owner must be of type object, as Pulumi.yaml declares it; found str"),
        ("config:\n  shop:owner: {}\n  shop:size: many\n", "shop:size must be of type integer"),
        ("config:\n  shop:owner: {}\n  shop:size: true\n", "shop:size must be of type integer"),
        ("config:\n  shop:owner: {}\n  shop:title: 5\n", "shop:title must be of type string"),
        ("config:\n  shop:owner: {}\n  shop:zones: [1]\n", "shop:zones must be of type array"),
        ("config: [1]\n", "config is not a mapping"),
        ("config: {\n", "Pulumi.blue.yaml is not readable YAML"),
    ],
)
def test_a_mistake_in_a_stack_file_is_said(tmp_path: Path, stack: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        project(tmp_path, stack).stack("blue")
    assert message in str(error.value)


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        project(tmp_path, "config:\n  shop:size: many\n  shop:title: 5\n").stack("blue")
    assert len(str(error.value).splitlines()) == 3


def test_an_unknown_stack_names_the_ones_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="stacks with a file here: blue"):
        project(tmp_path, "config: {}\n").stack("green")


def test_a_folder_without_a_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Pulumi\.yaml is missing"):
        Project.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "config:\n  shop:owner: {}\n  shop:size: 1\n  shop:size: 2\n",
            "is not readable YAML: the key shop:size is given twice, in lines 3 and 4: remove one",
        ),
        (
            "config:\n  shop:owner: {name: a, name: b}\n",
            "is not readable YAML: the key name is given twice, in lines 2 and 2: remove one",
        ),
        (
            "config:\n  shop:owner: {}\n  shp:size: 1\n",
            "shp:size has the unknown namespace shp; allowed: shop, pulumi, or an installed provider such as aws",
        ),
        (
            "config:\n  shop:owner: {}\n  aws:alowedAccountIds: ['1']\n",
            "aws:alowedAccountIds is not a setting of the provider aws; did you mean allowedAccountIds?",
        ),
        (
            "confg:\n  shop:size: 1\nconfig:\n  shop:owner: {}\n",
            "confg is not read by Pulumi; allowed: config, encryptedkey, encryptionsalt, environment, secretsprovider",
        ),
    ],
)
def test_what_nothing_would_read_is_a_mistake(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        project(tmp_path, text).stack("blue")
    assert str(raised.value).removeprefix("Pulumi.blue.yaml").lstrip(": ") == says


def test_a_namespace_that_the_project_declares_is_read(tmp_path: Path) -> None:
    declared = "name: shop\nconfig:\n  theirs:size: {type: integer, default: 1}\n"
    assert project(tmp_path, "config:\n  theirs:size: 2\n", declared).stack("blue").config == {"theirs:size": "2"}


def test_pulumis_own_namespace_is_read(tmp_path: Path) -> None:
    text = "config:\n  shop:owner: {}\n  pulumi:autonaming: {}\n"
    assert project(tmp_path, text).stack("blue").config["pulumi:autonaming"] == "{}"
