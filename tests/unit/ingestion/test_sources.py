import gzip
import json
import os
import random
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import SourceError
from ingestion.reasons import Reason
from ingestion.records import RawRecord, Reject
from ingestion.sources.files import open_path
from ingestion.sources.lines import split_lines

MIB = 1024 * 1024


def read(path: Path, max_record_bytes: int = MIB) -> list[RawRecord | Reject]:
    return list(open_path(path, max_record_bytes))


def texts(path: Path) -> list[bytes]:
    return [item.text for item in read(path) if isinstance(item, RawRecord)]


def rejects(path: Path, max_record_bytes: int = MIB) -> list[Reject]:
    return [item for item in read(path, max_record_bytes) if isinstance(item, Reject)]


def noisy_lines(count: int) -> list[bytes]:
    """Lines that hardly compress, so that a cut file is cut in the middle of them."""
    chance = random.Random(5)
    return [json.dumps({"id": n + 1, "x": chance.randbytes(400).hex()}).encode() for n in range(count)]


@pytest.mark.parametrize("name", ["movies.jsonl", "movies.json.gz", "movies"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_json_lines_are_read_whatever_the_name_says(tmp_path: Path, name: str, compress: bool, line_end: bytes) -> None:
    content = line_end.join([b'{"id": 1}', b"", b'{"id": 2}', b"   ", b'{"id": 3}'])
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if compress else content)
    items = read(path)
    assert [item.text.strip() for item in items if isinstance(item, RawRecord)] == [
        b'{"id": 1}',
        b'{"id": 2}',
        b'{"id": 3}',
    ]
    assert [item.place for item in items if isinstance(item, RawRecord)] == [
        f"{name}, line {line}" for line in (1, 3, 5)
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_holds_no_records(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    assert read(path) == []


def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path: Path) -> None:
    path = tmp_path / "movies.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": 1}\n{"id": 2}\n')
    assert texts(path) == [b'{"id": 1}', b'{"id": 2}']


@pytest.mark.parametrize("indent", [0, 1, 4])
def test_a_pretty_printed_body_is_one_record(tmp_path: Path, indent: int) -> None:
    body = json.dumps({"id": 5, "genres": [{"id": 18}, {}], "credits": {"cast": []}}, indent=indent).encode()
    path = tmp_path / "movie_5.json"
    path.write_bytes(body + b"\n")
    assert [text.strip() for text in texts(path)] == [body]


def test_a_cut_off_body_is_one_record_and_not_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "movie_5.json"
    path.write_bytes(b'{\n "id": 5,\n "genres": [\n  {\n   "id": 18')
    assert texts(path) == [path.read_bytes()]


def test_json_lines_whose_first_line_is_cut_off_at_a_comma_stay_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "movies.jsonl"
    path.write_bytes(b'{"id": 1,\n{"id": 2}\n{"id": 3}\n')
    assert texts(path) == [b'{"id": 1,', b'{"id": 2}', b'{"id": 3}']


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "b.json").write_bytes(b'{\n "id": 2\n}')
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"id": 1}\n{"id": 10}\n'))
    (tmp_path / "2026" / "c.NDJSON").write_bytes(b'{"id": 3}')
    (tmp_path / "notes.txt").write_bytes(b"not read")
    (tmp_path / ".hidden.json").write_bytes(b"not read")
    items = read(tmp_path)
    assert [(item.place, json.loads(item.text)["id"]) for item in items if isinstance(item, RawRecord)] == [
        ("a.jsonl.gz, line 1", 1),
        ("a.jsonl.gz, line 2", 10),
        ("b.json", 2),
        ("2026/c.NDJSON, line 1", 3),
    ]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.jsonl does not exist"):
        open_path(tmp_path / "nowhere.jsonl", MIB)


def test_a_folder_without_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"x")
    with pytest.raises(SourceError, match="holds no JSON file"):
        open_path(tmp_path, MIB)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.jsonl"
    path.write_bytes(b'{"id": 1}')
    path.chmod(0)
    with pytest.raises(SourceError, match=r"secret\.jsonl cannot be read: Permission denied"):
        open_path(path, MIB)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.jsonl"
    path.write_bytes(b'{"id": 1}')

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match=r"secret\.jsonl cannot be read: Permission denied"):
        open_path(path, MIB)


def test_lines_before_the_cut_of_a_gzip_file_are_read_and_the_rest_is_one_reject(tmp_path: Path) -> None:
    lines = noisy_lines(300)
    whole = gzip.compress(b"\n".join(lines))
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    items = read(path)
    good = [item.text for item in items if isinstance(item, RawRecord)]
    assert good == lines[: len(good)]
    assert 100 < len(good) < 200
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert items[-1] is reject
    assert reject.reason == Reason.TRUNCATED_GZIP
    assert lines[len(good)].startswith(reject.raw.encode())
    assert f"line {len(good) + 1}:" in reject.detail


@settings(deadline=None)
@given(cut=st.integers(min_value=3, max_value=2000))
def test_wherever_a_gzip_file_is_cut_no_broken_line_lands(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    lines = noisy_lines(5)
    whole = gzip.compress(b"\n".join(lines))
    path = tmp_path_factory.getbasetemp() / "cut-anywhere.gz"
    path.write_bytes(whole[: min(cut, len(whole) - 1)])
    items = read(path)
    good = [item.text for item in items if isinstance(item, RawRecord)]
    assert good == lines[: len(good)]
    assert [item.reason for item in items if isinstance(item, Reject)] == [Reason.TRUNCATED_GZIP]


def test_damage_within_a_gzip_file_is_told_from_a_cut(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(b"\n".join(noisy_lines(50))))
    whole[-8:-4] = b"\0\0\0\0"  # the checksum
    path = tmp_path / "damaged.gz"
    path.write_bytes(bytes(whole))
    assert [reject.reason for reject in rejects(path)] == [Reason.CORRUPT_GZIP]


def test_gzip_members_and_padding_are_read_through(tmp_path: Path) -> None:
    path = tmp_path / "members.gz"
    path.write_bytes(gzip.compress(b'{"id": 1}\n{"id"') + gzip.compress(b": 2}\n") + b"\0" * 512)
    assert texts(path) == [b'{"id": 1}', b'{"id": 2}']


@pytest.mark.parametrize("before", [b"", b'{"id": 1}\n'])
@pytest.mark.parametrize("after", [b"", b'\n{"id": 3}'])
def test_a_line_that_is_too_long_is_a_reject_and_its_neighbours_are_read(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(before + b'{"id": 2, "x": "' + b"x" * (3 * MIB) + b'"}' + after)
    items = read(path, MIB)
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert reject.reason == Reason.RECORD_TOO_LARGE
    assert reject.raw.startswith('{"id": 2, "x": "xxx')
    assert len(reject.raw) == 4096
    assert len([item for item in items if isinstance(item, RawRecord)]) == bool(before) + bool(after)


def test_a_body_that_is_too_long_is_one_reject(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_bytes(json.dumps({"id": 2, "x": ["y" * 1000] * 3000}, indent=1).encode())
    assert [reject.reason for reject in rejects(path)] == [Reason.RECORD_TOO_LARGE]


def test_two_long_records_with_one_beginning_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"x" * (2 * MIB) + b"1\n" + b"x" * (2 * MIB) + b"2\n")
    first, second = rejects(path)
    assert first.raw == second.raw
    assert first.identity != second.identity


def test_memory_is_bounded_by_the_longest_record_and_not_by_the_file(tmp_path: Path) -> None:
    # 300 MiB of content in a small file: one endless line, then many short ones.
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(150):
            file.write(b"x" * MIB)
        file.write(b"\n")
        for _ in range(150):
            file.write((b'{"id": 1, "x": "' + b"y" * 1004 + b'"}\n') * 1024)
    tracemalloc.start()
    try:
        count = sum(1 for _ in open_path(path, 4 * MIB))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 1 + 150 * 1024
    assert peak < 3 * 4 * MIB


LINES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=12)


@settings(deadline=None)
@given(LINES, st.lists(st.integers(min_value=0, max_value=400), max_size=8), st.integers(8, 40))
def test_lines_do_not_depend_on_how_the_bytes_are_cut_into_blocks(
    lines: list[bytes], cuts: list[int], max_bytes: int
) -> None:
    content = b"\n".join(lines)

    def blocks(edges: list[int]) -> Iterator[bytes]:
        edges = [0, *sorted(edges), len(content)]
        return (content[start:end] for start, end in pairwise(edges))

    whole = list(split_lines(blocks([]), "x", max_bytes))
    assert list(split_lines(blocks(cuts), "x", max_bytes)) == whole
    expected = [line for line in lines if line.strip(b" \t\r\n") or len(line) > max_bytes]
    assert len(whole) == len(expected)
    for item, line in zip(whole, expected, strict=True):
        assert isinstance(item, Reject) == (len(line) > max_bytes)
        assert isinstance(item, Reject) or item.text == line


def test_real_lines_are_handed_on_byte_for_byte(tmdb_data: Path) -> None:
    path = tmdb_data / "tmdb_movies.jsonl.gz"
    expected = gzip.decompress(path.read_bytes()).split(b"\n")[:-1]
    assert len(expected) == 2437
    assert texts(path) == expected


def test_real_bodies_are_handed_on_byte_for_byte(tmdb_data: Path) -> None:
    folder = tmdb_data / "api_samples" / "movie_full"
    expected = [path.read_bytes() for path in sorted(folder.iterdir())]
    assert texts(folder) == expected
