"""Silver and Gold computed once more, from the JSON observations and the documentation alone.

Nothing here shares a line with the SQL: plain Python over exact fractions, written from `docs/data_dictionary.md`, the
decisions and the descriptions of the marts. Where the lake and the oracle differ, one of the two, or the documentation,
is wrong.
"""
