import pytest

from hourglass.cli import main


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "sheet.txt"
    path.write_text("2026-03-02 09:00-12:30 harbour Survey\n", encoding="utf-8")
    (tmp_path / "rates.csv").write_text("client,cents\nharbour,9500\n", encoding="utf-8")
    return path


def test_report_prints_the_hours(sheet, capsys):
    assert main(["report", str(sheet), "--month", "2026-03"]) == 0
    assert "harbour         3.50" in capsys.readouterr().out


def test_invoice_uses_the_rates_beside_the_sheet(sheet, capsys):
    assert main(["invoice", str(sheet), "harbour", "--month", "2026-03"]) == 0
    assert "332.50" in capsys.readouterr().out


def test_an_unknown_client_has_no_invoice(sheet, capsys):
    sheet.write_text("2026-03-02 09:00-12:30 museum Clock\n", encoding="utf-8")
    assert main(["invoice", str(sheet), "museum", "--month", "2026-03"]) == 1
    assert "no rate for 'museum'" in capsys.readouterr().err


def test_add_appends_a_line(sheet, capsys):
    assert main(["add", str(sheet), "2026-03-03 09:00-10:00 lantern Call"]) == 0
    assert main(["report", str(sheet), "--month", "2026-03"]) == 0
    assert "lantern         1.00" in capsys.readouterr().out


def test_a_bad_line_is_refused_and_the_sheet_kept(sheet, capsys):
    before = sheet.read_bytes()
    assert main(["add", str(sheet), "tomorrow, perhaps"]) == 1
    assert "expected DAY START-END CLIENT NOTE" in capsys.readouterr().err
    assert sheet.read_bytes() == before
