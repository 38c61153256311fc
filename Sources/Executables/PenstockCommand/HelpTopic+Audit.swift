extension HelpTopic {
    static let auditText = """
        penstock audit: reads the audit trail; the daemon need not run

        usage: penstock audit verify [FILES…] …     is the chain whole? names the first fault
               penstock audit tail [FILE] …         the last records as a table, and those that come (-f)
               penstock audit show ID [FILES…]      the whole story of one connection
               penstock audit stats [FILES…] …      hosts, denials, bytes, rules, with charts
               penstock audit keys [FILES…]         the keys that sign the chain
               penstock audit query [FILES…] …      finds records in an index, at once
               penstock audit reindex [FILES…]      makes that index anew

        FILES are segments in the order in which they were written, plain or compressed with zstd; left out:
        \(AuditCommand.defaultFile). `penstock help audit verify` and so on say more; docs/audit.md is the
        format.
        """

    static let verifyText = """
        penstock audit verify: checks every line of the chain, and names the first fault with file, line and record

        usage: penstock audit verify [FILES…] [--head HASH] [--tail HASH]… [--checkpoint FILE]… [--key FILE]… [--json]
                                     [--progress]

          FILES              segments in the order in which they were written, plain or zstd
                             (\(AuditCommand.defaultFile))
          --head HASH        the files go on behind the line with this hash; left out: they have to begin with the chain's
                             first record
          --tail HASH        the line with this hash has to be there; repeatable. The last line of this command's output
                             is the one to keep
          --checkpoint FILE  the lines in this file, shipped elsewhere when they were written, have to be there
          --key FILE         a PEM file with public keys that are known to be the daemon's: checkpoints must be signed by
                             one of them, or by one that goes back to it. Left out: the keys in the chain are believed
          --json             one object
          --progress         show progress on standard error, even where that is no terminal
          --help             print this and exit

        The fault is one of: changed, removed, reordered, inserted, replayed, missing_head, missing_tail, rewritten,
        bad_signature, unknown_key, unsigned, unsupported_version; unclassed: the chain breaks, and the input is no regular
        file, which has to be read once more to say how; or torn_tail: a last line that a crash cut off, which the daemon's
        next start repairs, or that a running daemon has no room for, and ends itself. Lines whose ends were converted to
        CR LF are changed ones.

        exit codes: 0   the chain is whole
                    1   it is not, or compressed data is damaged
                    64  the command line is wrong
                    66  a file cannot be read

        examples: penstock audit verify
                  penstock audit verify --key audit.pem audit-1.jsonl.zst audit-2.jsonl.zst audit.jsonl
        """

    static let tailText = """
        penstock audit tail: shows the last records: a table on a terminal, JSON lines elsewhere

        usage: penstock audit tail [FILE] [-f] [--deny] [--host HOST] [--since TIME] [-n COUNT] [--table|--json]

          FILE          the daemon's file (\(AuditCommand.defaultFile)), or a segment
          -f, --follow  show what comes, over rotations
          --deny        only what was denied, or would have been in mode audit
          --host HOST   only this host: example.com, *.example.com (all below it), or an address
          --since TIME  only records since then: 2026-11-21T10:15:04Z, 2026-11-21, or so long ago: 90s, 10m, 2h, 7d
          -n COUNT      at most so many to begin with (20; with --since: all)
          --table       a table, wherever it goes; --json: lines as they are in the file
          --help        print this and exit

        The end of what was allowed is shown with it. Colours are left out where NO_COLOR is set.

        exit codes: 0 done · 1 compressed data is damaged · 64 the command line is wrong · 66 the file cannot be read, or
        none of its lines is a record

        examples: penstock audit tail -f --deny
                  penstock audit tail --since 2h --host '*.pastebin.com' --json | jq .reason
        """

    static let showText = """
        penstock audit show: tells the whole story of a connection: how it was judged, its requests, and how it ended

        usage: penstock audit show ID [FILES…] [--json]

          ID      of the connection, of one of its requests, or of a check; the first 10 characters or more will do
          FILES   segments, plain or zstd (\(AuditCommand.defaultFile))
          --json  the records as they are in the files
          --help  print this and exit

        exit codes: 0 found · 1 there is none, there are several, or compressed data is damaged · 64 the command line is
        wrong · 66 a file cannot be read, or none of its lines is a record
        """

    static let statsText = """
        penstock audit stats: counts hosts, denials, bytes, rules and reasons

        usage: penstock audit stats [FILES…] [--top COUNT] [--json]

          FILES        segments, plain or zstd (\(AuditCommand.defaultFile))
          --top COUNT  the most rows of each list (10)
          --json       one object
          --help       print this and exit

        A connection whose HTTP requests were judged one by one counts by its requests, and so do its bytes. Bytes are
        counted when something ends.

        exit codes: 0 done · 1 compressed data is damaged · 64 the command line is wrong · 66 a file cannot be read, or
        none of its lines is a record
        """

    static let keysText = """
        penstock audit keys: prints the keys that the chain publishes, as a PEM file that `verify --key` reads

        usage: penstock audit keys [FILES…] [--json]

          FILES   segments, plain or zstd (\(AuditCommand.defaultFile))
          --json  one object a line: key, public_key, time, sequence, signed_by, signature
                  (valid, invalid, nobody: the first one, unknown: the signer is not in these files)
          --help  print this and exit

        Keep them where whoever can write the trail cannot: pinned, they show a chain that was written anew.

        exit codes: 0 there are keys · 1 there are none, or compressed data is damaged · 64 the command line is wrong ·
        66 a file cannot be read, or none of its lines is a record
        """
}
