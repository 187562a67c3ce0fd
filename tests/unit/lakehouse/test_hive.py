from lakehouse.hive import plain_message


def test_sparks_own_sentence_is_taken_out_of_what_hiveserver2_wraps_it_in() -> None:
    wrapped = (
        "TExecuteStatementResp(status=TStatus(statusCode=3, infoMessages=['*org.apache.hive.service.cli."
        "HiveSQLException:Error running query: [TABLE_OR_VIEW_NOT_FOUND] org.apache.spark.sql.AnalysisException: "
        "[TABLE_OR_VIEW_NOT_FOUND] The table or view `x` cannot be found. Verify the spelling.\\n at line 1"
    )
    said = plain_message(wrapped)
    assert "The table or view `x` cannot be found" in said
    assert "at line 1" not in said


def test_a_message_without_an_error_class_is_cut_at_its_first_line() -> None:
    assert plain_message("Connection reset\n  at java.net") == "Connection reset"
