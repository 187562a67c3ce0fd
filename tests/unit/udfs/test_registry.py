import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from udfs.registry import UdfError, discover, sql_function


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> ModuleType:
    """Make an importable package of the given module texts."""
    name = f"functions_{folder.name}"
    root = folder / name
    root.mkdir()
    (root / "__init__.py").write_text("", encoding="utf-8")
    for module, text in modules.items():
        (root / f"{module}.py").write_text("from udfs.registry import sql_function\n" + dedent(text), encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return __import__(name)


def test_the_published_functions_are_found() -> None:
    assert {name: declared.returns for name, declared in discover().items()} == {
        "clean_title": "string",
        "vader_category": "string",
        "vader_compound": "double",
    }


def test_one_decorated_function_in_one_new_file_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = discover(
        package(
            tmp_path,
            monkeypatch,
            words="""
            @sql_function(returns="int")
            def word_count(text):
                return None if text is None else len(text.split())

            @sql_function(returns="string", name="shout", deterministic=False)
            def _loud(text):
                return text.upper()

            def not_published(text):
                return text
            """,
        )
    )
    assert list(found) == ["shout", "word_count"]
    assert found["word_count"].function("a b c") == 3
    assert not found["shout"].deterministic


def test_a_function_imported_into_another_module_is_the_same_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"functions_{tmp_path.name}"
    found = discover(
        package(
            tmp_path,
            monkeypatch,
            a='@sql_function(returns="int")\ndef one():\n    return 1',
            b=f"from {name}.a import one",
        )
    )
    assert list(found) == ["one"]


def test_two_functions_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '@sql_function(returns="int")\ndef one():\n    return 1'
    with pytest.raises(UdfError, match=r"published to SQL as one: .*\.a\.one and .*\.b\.one"):
        discover(package(tmp_path, monkeypatch, a=text, b=text))


@pytest.mark.parametrize("name", ["Upper", "1st", "a-b", "", "a b"])
def test_a_name_that_sql_cannot_spell_is_refused(name: str) -> None:
    with pytest.raises(UdfError, match="cannot be the name"):
        sql_function(returns="int", name=name or " ")(len)


def test_the_driver_needs_neither_pandas_nor_vader_to_find_the_functions() -> None:
    import subprocess

    code = (
        "import sys; from udfs.registry import discover; discover(); "
        "print([m for m in ('pandas', 'pyspark', 'vaderSentiment') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
