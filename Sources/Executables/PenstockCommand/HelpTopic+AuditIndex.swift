extension HelpTopic {
    static let queryText = """
        penstock audit query: finds records in an index, which it brings up to date first

        usage: penstock audit query [FILES…] [--host HOST] [--since TIME] [--until TIME] [--deny | --allow] [--rule RULE]
                                    [--uid UID] [--kind KIND] [--text WORDS] [--limit COUNT] [--format FORMAT]
                                    [--index FILE] [--no-update] [--progress]

          FILES           segments, plain or zstd (\(AuditCommand.defaultFile)); the answer is about these
          --host HOST     a name, *.example.com for all below it, or an address
          --since TIME    not before 2026-11-21T10:15:04Z, or 2026-11-21, or 10m, 2h, 7d ago
          --until TIME    before that time
          --deny          what was denied or, in audit mode, would have been
          --allow         what was allowed, and would have been
          --rule RULE     the rule that decided
          --uid UID       the user that the agent runs as
          --kind KIND     connection, connection_end, request and so on
          --text WORDS    every one of these words occurs in host, path, rule, reason or detail; the asterisk of
                          'past*' stands for any ending
          --limit COUNT   the last so many (\(QueryRequest.usualLimit)), or: all
          --format FORM   table, json or csv; left out: a table on a terminal, JSON elsewhere
          --index FILE    the index (\(QueryRequest.indexName) beside the last of FILES); made where there is none
          --no-update     ask the index as it is; nothing is written, and the files need not be there
          --progress      show progress on standard error, even where that is no terminal
          --help          print this and exit

        Rows come in the order of their times. An allowed connection has what is known of its end in its row. In CSV a
        text that a spreadsheet would take for a formula gets an apostrophe in front.

        exit codes: 0 done, whether or not there is anything · 1 the index or the trail is damaged · 64 the command line
        is wrong · 66 a file cannot be read or written

        examples: penstock audit query --host '*.pastebin.com' --since 2026-11-21 --until 2026-11-22
                  penstock audit query --deny --since 7d --limit all --format csv > denied.csv
        """

    static let reindexText = """
        penstock audit reindex: makes the index of `penstock audit query` anew

        usage: penstock audit reindex [FILES…] [--index FILE] [--progress]

          FILES         segments in the order in which they were written, plain or zstd
                        (\(AuditCommand.defaultFile)); of other files the index holds nothing afterwards
          --index FILE  the index (\(QueryRequest.indexName) beside the last of FILES)
          --progress    show progress on standard error, even where that is no terminal
          --help        print this and exit

        The index can also be removed: `penstock audit query` makes it again.

        exit codes: 0 done · 1 compressed data is damaged · 64 the command line is wrong · 66 a file cannot be read or
        written
        """
}
