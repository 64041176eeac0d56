"""The runs that have a share of the suite run every case between them, and each of them every test."""

import pytest
import shares

CASES = ["alone", "two[a]", "two[b]", *(f"seven[{k}]" for k in range(7)), "other[x[0]]", "other[x[1]]", "other[x[2]]"]


def of(share, count):
    return [case for case, mine in zip(CASES, shares.belong(CASES, share, count), strict=True) if mine]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_shares_are_all_cases_and_have_a_case_of_each_test(count):
    runs = [of(k + 1, count) for k in range(count)]
    assert {case for run in runs for case in run} == set(CASES)
    for run in runs:
        assert {case.partition("[")[0] for case in run} == {"alone", "two", "seven", "other"}
        assert len([case for case in run if case.startswith("seven")]) in (7 // count, -(-7 // count), 1)


def test_a_share_is_the_same_in_every_process():
    assert of(1, 3) == of(1, 3)
    assert shares.belong(["test_a[0]", "test_a[1]"], 1, 2) == [False, True]  # zlib.crc32(b"test_a") is even


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "a/b", "1/0", ""])
def test_a_share_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=rf"ZEN_SHARE={text}: the first of n shares is 1/n, the last n/n"):
        shares.parse(text)
    assert shares.parse("2/3") == (2, 3)
