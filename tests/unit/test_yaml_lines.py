"""YAML as plain data with positions: YAML 1.2's core schema, and no input that harms."""

import time

import pytest

from accelsim.base.errors import InputError, Problem
from accelsim.base.yaml_lines import MAX_BYTES, load_yaml, load_yaml_file, scalar


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        load_yaml(text, "a.yaml")
    return caught.value.problems


def test_every_key_and_value_knows_its_line_and_column() -> None:
    document = load_yaml("a: 1\nb:\n  - x\n  - c: {d: 2}\n", "f.yaml")
    assert document.data == {"a": 1, "b": ["x", {"c": {"d": 2}}]}
    value = document.at(("b", 1, "c", "d"))
    assert (value.file, value.line, value.column) == ("f.yaml", 4, 12)
    key = document.at(("b", 1, "c", "d"), key=True)
    assert (key.line, key.column) == (4, 9)
    assert (document.at(("b", 0)).line, document.at(("b", 0)).column) == (3, 5)


def test_a_path_that_is_not_there_is_placed_at_its_parent() -> None:
    document = load_yaml("a:\n  b: 1\n")
    assert (document.at(("a", "nothing", 3)).line, document.at(("a", "nothing", 3)).column) == (2, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        ("12", 12),
        ("+12", 12),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("10:30", "10:30"),
        ("190:20:30", "190:20:30"),
        ("2001-12-14", "2001-12-14"),
        ("1_000", "1_000"),
        (".inf", float("inf")),
        ("-.inf", float("-inf")),
        ("1e400", float("inf")),
        ("200 MHz", "200 MHz"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """Tables of section 10.3 (core schema) of the YAML 1.2.2 specification."""
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)
    assert load_yaml(f"k: {text}").data == {"k": value}


def test_a_quoted_scalar_stays_text() -> None:
    assert load_yaml("a: '12'\nb: \"true\"\nc: ''\n").data == {"a": "12", "b": "true", "c": ""}


def test_a_number_of_very_many_digits_does_no_harm() -> None:
    assert load_yaml("a: " + "9" * 5000).data["a"] == float("inf")


def test_all_duplicate_keys_are_named_with_their_first_line() -> None:
    found = problems("a: 1\nb: 2\na: 3\nb:\n  c: 1\n")
    assert [(p.line, p.column, p.key) for p in found] == [(3, 1, "a"), (4, 1, "b")]
    assert "duplicate key" in found[0].message
    assert "line 1" in (found[0].hint or "")


def test_keys_stay_text_and_a_list_is_no_key() -> None:
    assert load_yaml("1: a\nno: b\n").data == {"1": "a", "no": "b"}
    assert "key" in problems("? [1, 2]\n: x\n")[0].message


def test_an_alias_repeats_its_anchor() -> None:
    assert load_yaml("a: &x {b: 1}\nc: *x\n").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    start = time.process_time()
    found = problems("\n".join(lines))
    assert time.process_time() - start < 2
    assert "aliases expand" in found[0].message
    assert found[0].line is not None


def test_a_recursive_alias_is_refused() -> None:
    found = problems("a: &x\n  - b\n  - *x\n")
    assert "inside its own anchor" in found[0].message
    assert (found[0].line, found[0].column) == (3, 5)


def test_an_alias_of_nothing_is_refused() -> None:
    assert "anchor" in problems("a: *x\n")[0].message


def test_merge_keys_tags_and_second_documents_are_refused_in_words() -> None:
    assert "merge keys" in problems("a: &x {b: 1}\nc:\n  <<: *x\n")[0].message
    assert "tag" in problems("a: !!python/object:os.system x\n")[0].message
    assert "second document" in problems("a: 1\n---\nb: 2\n")[0].message


N_NESTED = 200_000


@pytest.mark.parametrize(
    "text",
    [
        "[" * N_NESTED,
        "[" * N_NESTED + "]" * N_NESTED,
        "{a: " * N_NESTED,
        "[{a: " * N_NESTED,
        "[\n" * N_NESTED,
        "- " * N_NESTED,
        "\n".join(" " * depth + "a:" for depth in range(2000)),
    ],
    ids=["open", "balanced", "mappings", "mixed", "lines", "dashes", "indented"],
)
def test_deep_nesting_neither_crashes_nor_takes_long(text: str) -> None:
    start = time.process_time()
    found = problems(text)
    assert time.process_time() - start < 3
    assert "nested more than 64" in found[0].message


def test_nested_complex_keys_are_refused_at_the_first() -> None:
    assert "a key that is no plain word" in problems("? " * N_NESTED)[0].message


def test_64_levels_are_read() -> None:
    data = load_yaml("[" * 64 + "]" * 64).data
    depth = 0
    while data:
        data, depth = data[0], depth + 1
    assert depth == 63


def test_more_values_than_any_file_needs_are_refused() -> None:
    assert "more than 100,000 values" in problems("[" + "1," * 200_000 + "]")[0].message


def test_a_syntax_error_has_its_place() -> None:
    found = problems("a: 1\nb: [1, 2\nc: 3\n")
    assert found[0].message.startswith("not YAML")
    assert found[0].line == 3


@pytest.mark.parametrize("text", ["a: \x00", "a:\n\t- b", "%YAML 9.9\n---\na: 1\n", "a: 'x", "\ud800", "@"])
def test_text_that_is_no_yaml_gives_one_problem(text: str) -> None:
    assert len(problems(text)) == 1


def test_bytes_that_are_no_text_are_placed() -> None:
    found = problems(b"a: 1\nb: \xff\xfe")
    assert (found[0].line, found[0].column) == (2, 4)
    assert "0xff" in found[0].message


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert load_yaml(b"\xef\xbb\xbfa: 1").data == {"a": 1}


def test_a_file_of_50_mb_is_refused_quickly(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("big") / "noise.yaml"
    with path.open("wb") as stream:
        stream.write(b"x")
        stream.truncate(50_000_000)
    start = time.process_time()
    with pytest.raises(InputError, match=f"at most {MAX_BYTES:,} B"):
        load_yaml_file(path)
    assert time.process_time() - start < 1
