"""--set, --dataflow, per_dataflow and extends: what is changed, and what is refused."""

from pathlib import Path

import pytest

from accelsim.base.errors import InputError
from accelsim.hardware import load_arch
from accelsim.hardware.schema import json_schema


def refused(name: str, *sets: str, dataflow: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        load_arch(name, sets, dataflow)
    return str(caught.value)


def test_a_path_may_be_shortened_from_the_left_while_it_is_unique() -> None:
    for path in ("array.rows", "core.array.rows", "rows"):
        assert load_arch("eyeriss", [f"{path}=8"]).machine().rows == 8


def test_memories_are_addressed_by_name() -> None:
    machine = load_arch("eyeriss", ["glb.size='64 KiB'", "spad_filter.size=100 words"]).machine()
    assert machine.capacity_bytes[machine.level("glb")] == 65536
    assert machine.capacity_bytes[machine.level("spad_filter")] == 200


def test_values_are_read_as_the_file_would_read_them() -> None:
    arch = load_arch("eyeriss", ["clock='500 MHz'", "diagonal=false", "multicast=[W]", "glb.bits=32"])
    assert arch.spec.clock.value == 5e8
    assert arch.spec.core.array.diagonal is False
    assert arch.machine().multicast.tolist() == [False, True, False]
    assert arch.machine().word_bits.tolist() == [0, 0, 0, 32, 0]


def test_a_key_that_the_file_leaves_out_can_be_set() -> None:
    assert load_arch("systolic_32x32", ["array.diagonal=true"]).machine().diagonal
    machine = load_arch("systolic_32x32", ["leakage=2 W"]).machine()
    assert machine.idle_pj_per_cycle == 2000.0  # 2 W for a cycle of 1 ns


def test_a_sourced_constant_takes_the_bare_value_and_says_where_it_is_from() -> None:
    arch = load_arch("eyeriss", ["mac.energy=3 pJ", "glb.energy=1 pJ/B", "dram.energy.read=5 pJ/B"])
    assert arch.machine().mac_pj == 3.0
    assert arch.spec.core.mac.energy.source == "--set on the command line"
    assert arch.machine().read_pj_per_byte[-2:].tolist() == [1.0, 5.0]
    assert arch.machine().write_pj_per_byte[-2:].tolist() == [1.0, 230.0]  # 460 pJ a word of 16 bits
    assert arch.spec.memories[0].energy.source.startswith(
        "read: --set on the command line; else energy_per_op"
    )


def test_the_dataflow_is_picked_by_set_or_by_option() -> None:
    assert load_arch("systolic_32x32").dataflow == "ws"
    assert load_arch("systolic_32x32", ["dataflow=os"]).machine().dataflow == "os"
    assert load_arch("systolic_32x32", dataflow="is").machine().dataflow == "is"
    assert load_arch("systolic_32x32", dataflow="any").dataflow == "any"
    assert load_arch("systolic_32x32", ["dataflow=[os, ws]"]).dataflow == "os"
    assert "contradicts" in refused("systolic_32x32", "dataflow=os", dataflow="is")


def test_a_dataflow_that_the_machine_can_not_run_is_refused_with_those_that_it_can() -> None:
    text = refused("systolic_32x32", "dataflow=oss")
    assert "expected one of ws, os, is, any" in text
    assert "did you mean 'os'?" in text
    assert text.startswith("--set dataflow=oss: core.dataflow: ")


def test_an_unknown_path_is_mended_and_an_ambiguous_one_listed() -> None:
    assert "did you mean 'glb.size'?" in refused("eyeriss", "glb.sze=3")
    text = refused("eyeriss", "size=3 KiB")
    assert "could be any of 5" in text
    assert "spad_psum.size" in text
    assert "dram.size" in text


@pytest.mark.parametrize("text", ["rows", "rows=", "=8", "rows=[", "", "rows=8=9"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    assert f"--set {text}" in refused("eyeriss", text)


def test_all_wrong_settings_are_told_at_once_with_their_text() -> None:
    text = refused("eyeriss", "array.rows=zero", "glb.size=64", "clock=1 KiB")
    assert len(text.splitlines()) == 3
    assert "--set array.rows=zero: core.array.rows: 'zero' does not fit, expected a whole number" in text
    assert "--set glb.size=64: core.memories.glb.size: 64 has no unit" in text
    assert "--set clock=1 KiB: clock: '1 KiB' is a size" in text


def test_settings_of_the_dataflow_apply_when_it_is_picked_and_set_comes_after() -> None:
    """Register file and buffer sizes: ../shared/reference/eyeriss_isca16_costs.csv."""
    sizes = {"rs": (512, 131070), "ws": (2, 342287), "os": (10, 311128), "nlr": (0, 346458)}
    for dataflow, (rf_bytes, glb_bytes) in sizes.items():
        machine = load_arch("eyeriss_isca16_256", dataflow=dataflow).machine()
        assert machine.capacity_bytes[:2].tolist() == [rf_bytes, glb_bytes]
    machine = load_arch("eyeriss_isca16_256", ["glb.size=1 KiB"], "ws").machine()
    assert machine.capacity_bytes[:2].tolist() == [2, 1024]


def test_a_memory_of_zero_bytes_holds_nothing() -> None:
    machine = load_arch("eyeriss_isca16_256", dataflow="nlr").machine()
    assert not machine.holds[machine.level("rf")].any()
    assert machine.holds[machine.level("glb")].all()


def test_a_file_that_extends_another_changes_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "schema: accelsim.arch/1\nextends: eyeriss\nname: mine\n"
        "core:\n  array: {rows: 6}\n  memories:\n    glb: {size: 50 KiB}\n"
        "  mac: {energy: {value: 9 pJ, source: mine}}\n"
    )
    mine, eyeriss = load_arch(str(path)), load_arch("eyeriss")
    assert (mine.name, mine.machine().rows, mine.machine().cols) == ("mine", 6, 14)
    assert mine.machine().level_names == eyeriss.machine().level_names
    assert mine.machine().capacity_bytes[3] == 51200
    assert mine.machine().mac_pj == 9.0
    assert mine.spec.core.memories[0].energy == eyeriss.spec.core.memories[0].energy
    assert mine.sha256 != eyeriss.sha256


def test_an_extended_constant_keeps_no_source_of_the_number_that_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: eyeriss\nname: mine\ncore:\n  mac: {energy: {value: 9 pJ}}\n")
    text = refused(str(path))
    assert f"{path}:4:17: core.mac.energy.source: is missing" in text


def test_an_error_in_an_extended_file_is_placed_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("extends: eyeriss\nname: base\nclock: fast\n")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\nname: mine\n")
    assert f"{tmp_path / 'base.yaml'}:3:8: clock:" in refused(str(tmp_path / "mine.yaml"))


def test_a_memory_that_the_extended_file_lacks_can_not_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: eyeriss\nname: mine\ncore: {memories: {gbl: {size: 1 KiB}}}\n")
    assert "no memory 'gbl' to change (did you mean 'glb'?)" in refused(str(path))


def test_the_schema_for_editors_has_every_key_and_no_dangling_reference() -> None:
    schema = json_schema()
    definitions = schema["$defs"]
    text = repr(schema)
    for part in text.split("#/$defs/")[1:]:
        assert part.split("'")[0] in definitions
    assert schema["$schema"].endswith("2020-12/schema")
    assert definitions["Arch"]["properties"]["schema"]["const"] == "accelsim.arch/1"
    assert "core" in definitions["Arch"]["required"]
    assert definitions["ChangeArch"]["required"] == ["schema", "name"]
    assert definitions["Memory"]["additionalProperties"] is False


def test_a_wrong_dataflow_of_the_option_names_the_option_and_no_place_in_the_file() -> None:
    text = refused("systolic_32x32", dataflow="oss")
    assert text == (
        "--dataflow oss: systolic_32x32 has no dataflow 'oss', expected one of ws, os, is, any "
        "(did you mean 'os'?)"
    )


def test_one_text_is_one_setting() -> None:
    assert load_arch("eyeriss", "array.rows=8").machine().rows == 8


def test_clusters_share_the_cores_that_the_core_count_says() -> None:
    machine = load_arch("mlu100", ["core.count=16"]).machine()
    assert (machine.n_cores, machine.n_clusters) == (16, 4)
    text = refused("mlu100", "core.count=18")
    assert "18 cores don't divide into 4 clusters, expected core.count a multiple of clusters.count" in text
    assert "leave clusters.cores out" in refused("mlu100", "core.count=16", "clusters.cores=8")


def test_an_architecture_shows_itself_on_a_line_and_in_a_notebook_as_a_table() -> None:
    arch = load_arch("eyeriss")
    assert repr(arch) == "<accelsim architecture eyeriss (12x14 PEs, 200 MHz, rs)>"
    assert arch._repr_html_().count("<tr>") == 1 + 5  # heads, three scratch pads, glb, dram
    assert "<td>100 KiB</td>" in arch._repr_html_()
