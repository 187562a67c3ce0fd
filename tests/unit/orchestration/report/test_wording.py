import pytest

from orchestration.report import wording


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.count(1234567), "1,234,567"),
        (wording.count(None), "–"),  # noqa: RUF001
        (wording.large(1_234_567_890), "1.2 billion"),
        (wording.large(12_345), "12,345"),
        (wording.dollars(2_923_706_026), "$2.9 billion"),
        (wording.dollars(-5_500_000), "−$5.5 million"),  # noqa: RUF001
        (wording.share(0.97412), "97.4 %"),
        (wording.change(0.12), "+12.0 %"),
        (wording.change(-0.5), "−50.0 %"),  # noqa: RUF001
        (wording.change(41), "×42"),  # noqa: RUF001
        (wording.decimal(-0.001), "0.00"),
        (wording.signed(0.314), "+0.31"),
        (wording.score(0.98765), "0.9876"),
        (wording.score(0.979962), "0.9799"),
        (wording.score(0.5713), "0.5713"),
        (wording.score(0.0), "0.0000"),
        (wording.score(0.99999), "0.9999"),
        (wording.score(1), "1"),
        (wording.score(4.6), "4.6000"),
        (wording.held_score({"score": 2.00001, "threshold": 2.0, "status": "fail"}), "2.0001"),
        (wording.held_score({"score": 0.94999, "threshold": 0.95, "status": "fail"}), "0.9499"),
        (wording.held_score({"score": 0.94999, "threshold": 0.9, "status": "pass"}), "0.9499"),
        (wording.held_score({"score": None, "threshold": None, "status": "pass"}), wording.NOTHING),
        (wording.bound(0.95), "0.95"),
        (wording.bound(1.0), "1"),
        (wording.seconds(4.21), "4.2 s"),
        (wording.seconds(59.97), "1 min 00 s"),
        (wording.seconds(192), "3 min 12 s"),
        (wording.seconds(3840), "1 h 04 min"),
        (wording.size(1_503_238_553), "1.4 GiB"),
        (wording.size(12), "12 B"),
        (wording.instant(1_795_770_000_000), "27 Nov 2026, 09:00 UTC"),
        (wording.short_instant(1_795_770_000_000), "11-27 09:00"),
        (wording.plural(1, "rule"), "1 rule"),
        (wording.plural(2, "rule"), "2 rules"),
    ],
)
def test_figures_as_a_person_reads_them(written: str, expected: str) -> None:
    assert written == expected
