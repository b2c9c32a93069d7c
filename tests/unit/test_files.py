"""The finder of shipped files and the reader of files that a user names."""

from pathlib import Path

import pytest

from accelsim.base import files
from accelsim.base.errors import InputError, did_you_mean
from accelsim.base.files import find_shipped, list_shipped, read_limited, shipped_folder


def test_what_ships_is_found_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "eyeriss" in list_shipped("arch_configs")
    assert find_shipped("arch_configs", "eyeriss").read_text().startswith("schema: accelsim.arch/1")
    assert find_shipped("arch_configs", "eyeriss.yaml") == find_shipped("arch_configs", "eyeriss")


def test_the_checkout_comes_before_the_copy_in_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "accelsim"
    shipped = package / "_shipped" / "workloads"
    shipped.mkdir(parents=True)
    (shipped / "old.onnx.txt").touch()
    monkeypatch.setattr(files, "_PACKAGE", package)
    assert list_shipped("workloads") == ("old",)
    (tmp_path / "workloads").mkdir()
    (tmp_path / "workloads" / "new.onnx.txt").touch()
    assert list_shipped("workloads") == ("old",), "a folder that only happens to lie beside the package"
    (tmp_path / "pyproject.toml").touch()
    assert list_shipped("workloads") == ("new",)
    assert shipped_folder("workloads") == tmp_path / "workloads"


def test_an_existing_path_wins_over_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("eyeriss.yaml").touch()
    Path("eyeriss").touch()
    assert find_shipped("arch_configs", "eyeriss.yaml") == Path("eyeriss.yaml")
    assert find_shipped("arch_configs", "./eyeriss") == Path("eyeriss")
    assert find_shipped("arch_configs", "eyeriss").parent == shipped_folder("arch_configs")


def test_an_unknown_name_gets_the_nearest_and_the_command_that_lists_all() -> None:
    with pytest.raises(InputError) as caught:
        find_shipped("arch_configs", "eyeris")
    text = str(caught.value)
    assert "did you mean 'eyeriss'?" in text
    assert "accelsim list" in text


@pytest.mark.parametrize(
    "name", ["nowhere/eyeriss.yaml", "eyerisss.yaml", "\0", "x" * 5000, "", "a/" + "x" * 5000]
)
def test_a_name_of_nothing_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError):
        find_shipped("arch_configs", name)


def test_missing_empty_large_and_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_limited(tmp_path / "missing", 10, "a file")
    with pytest.raises(InputError, match="is a folder"):
        read_limited(tmp_path, 10, "a file")
    path = tmp_path / "file"
    path.write_bytes(b" \n")
    with pytest.raises(InputError, match="is empty"):
        read_limited(path, 10, "a file")
    path.write_bytes(b"x" * 11)
    with pytest.raises(InputError, match="is 11 B, expected a file of at most 10 B"):
        read_limited(path, 10, "a file")
    path.write_bytes(b"x" * 10)
    assert read_limited(path, 10, "a file") == b"x" * 10


def test_a_word_in_other_capitals_is_nearer_than_a_shorter_one() -> None:
    assert did_you_mean("HS", ["S", "Hs", "H"]) == "did you mean 'Hs'?"
    assert did_you_mean("eyeris", ["eyeriss", "tpu_v1"]) == "did you mean 'eyeriss'?"
    assert did_you_mean("xyzzy", ["eyeriss"]) is None
