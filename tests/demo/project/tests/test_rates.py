from datetime import timedelta

import pytest

from hourglass.rates import Rates, money

CSV = ["client,cents\n", "harbour,9500\n", "default,7000\n"]


def test_a_client_has_a_rate():
    assert Rates.read(CSV).of("harbour") == 9500


def test_other_clients_pay_the_default():
    assert Rates.read(CSV).of("museum") == 7000


def test_without_a_default_a_stranger_has_no_price():
    with pytest.raises(KeyError, match="no rate for 'museum'"):
        Rates({"harbour": 9500}).of("museum")


def test_time_is_priced_by_the_minute():
    assert Rates.read(CSV).price("harbour", timedelta(minutes=165)) == 26125


def test_half_a_cent_is_rounded_up():
    assert Rates({"a": 10}).price("a", timedelta(minutes=15)) == 3


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (5, "0.05"), (123456, "1,234.56"), (-250, "-2.50")],
)
def test_money_is_written_with_two_decimals(cents, text):
    assert money(cents) == text
