"""Receipt numbers: the day they carry is the day here, and what is typed is read kindly."""

import datetime as dt

from core import receipts


def test_the_day_in_a_number_is_the_day_in_shanghai() -> None:
    evening = dt.datetime(2020, 10, 20, 17, 30, tzinfo=dt.UTC)
    assert receipts.fresh(evening).startswith("201021-")
    assert receipts.fresh(evening, mark="B").startswith("B201021-")


def test_what_is_typed_is_read_as_it_would_be_written() -> None:
    assert receipts.as_written(" ２０１０２０ 7k3m9 qpdxw ") == "201020-7K3M9-QPDXW"
    assert receipts.as_written("201020-7K3M9-QPDX") == ""
