from hourglass import storage
from hourglass.parser import parse_line

FIRST = parse_line("2026-03-02 09:00-10:00 harbour First")
SECOND = parse_line("2026-03-03 09:00-10:00 lantern Second")


def test_a_missing_sheet_is_empty(tmp_path):
    assert storage.load(tmp_path / "none.txt") == []


def test_what_is_saved_is_loaded_in_order(tmp_path):
    sheet = tmp_path / "sheet.txt"
    storage.save(sheet, [SECOND, FIRST])
    assert storage.load(sheet) == [FIRST, SECOND]


def test_an_added_entry_leaves_comments_alone(tmp_path):
    sheet = tmp_path / "sheet.txt"
    sheet.write_text("# March\n\n# no newline at the end", encoding="utf-8")
    storage.append(sheet, FIRST)
    assert sheet.read_text(encoding="utf-8").startswith("# March\n\n# no newline at the end\n2026")
    assert storage.load(sheet) == [FIRST]


def test_nothing_is_left_beside_the_sheet(tmp_path):
    storage.save(tmp_path / "sheet.txt", [FIRST])
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.txt"]
