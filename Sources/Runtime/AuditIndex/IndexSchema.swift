/// The tables of the index.
///
/// A change of anything here takes a new version; an index of another version is made anew.
enum IndexSchema {
    /// Kept in `PRAGMA user_version`.
    static let version = 1
    /// Kept in `PRAGMA application_id`: `PAIX` in ASCII.
    static let application = 0x5041_4958

    /// What `denied` is about: what was denied, and what would have been.
    static let denied = "(allowed = 0 OR would_allow = 0)"

    /// Makes everything in an empty database.
    ///
    /// Words that come again and again (kinds, rules, hosts) are kept once, in `texts`. `words` holds no text of its own,
    /// only what leads from a word to the number of its record.
    static let statements = """
        PRAGMA application_id = \(application);
        PRAGMA user_version = \(version);
        CREATE TABLE origin (mark INTEGER NOT NULL);
        INSERT INTO origin VALUES (random());
        CREATE TABLE segments (
            number INTEGER PRIMARY KEY, first_line BLOB NOT NULL UNIQUE, path TEXT NOT NULL, device INTEGER NOT NULL,
            inode INTEGER NOT NULL, size INTEGER NOT NULL, end INTEGER NOT NULL, last_start INTEGER NOT NULL,
            last_line BLOB NOT NULL, last_sequence INTEGER, lines INTEGER NOT NULL, unreadable INTEGER NOT NULL
        );
        CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
        CREATE TABLE records (
            number INTEGER PRIMARY KEY, segment INTEGER NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL,
            kind INTEGER NOT NULL, id TEXT, connection TEXT, allowed INTEGER, would_allow INTEGER, reason INTEGER,
            rule INTEGER, host INTEGER, address INTEGER, port INTEGER, method INTEGER, path TEXT, protocol INTEGER, uid INTEGER,
            status INTEGER, outcome INTEGER, closed_by INTEGER, bytes_up INTEGER, bytes_down INTEGER,
            duration_ms INTEGER, event INTEGER, detail TEXT
        );
        CREATE INDEX by_time ON records (time, kind);
        CREATE INDEX by_host ON records (host, time) WHERE host IS NOT NULL;
        CREATE INDEX by_address ON records (address, time) WHERE address IS NOT NULL;
        CREATE INDEX by_rule ON records (rule, time) WHERE rule IS NOT NULL;
        CREATE INDEX denied ON records (time) WHERE \(denied);
        CREATE INDEX ends ON records (id) WHERE outcome IS NOT NULL;
        CREATE VIRTUAL TABLE words USING fts5(
            host, path, rule, reason, detail, content = '', columnsize = 0, tokenize = 'unicode61'
        );
        \(view)
        """

    /// For people with the `sqlite3` command: every record with its words in place of their numbers.
    private static let view = """
        CREATE VIEW audit AS SELECT
            r.number, s.path AS file, r.sequence,
            strftime('%Y-%m-%dT%H:%M:%S', r.time / 1000000, 'unixepoch') || printf('.%06dZ', r.time % 1000000) AS time,
            kind.text AS kind, r.id, r.connection,
            CASE r.allowed WHEN 1 THEN 'allow' WHEN 0 THEN 'deny' END AS decision,
            CASE r.would_allow WHEN 1 THEN 'allow' WHEN 0 THEN 'deny' END AS would,
            reason.text AS reason, rule.text AS rule, host.text AS host, address.text AS address, r.port, method.text AS method, r.path,
            protocol.text AS protocol, r.uid, r.status, outcome.text AS outcome, closed_by.text AS closed_by,
            r.bytes_up, r.bytes_down, r.duration_ms, event.text AS event, r.detail
        FROM records AS r JOIN segments AS s ON s.number = r.segment
        \(["kind", "reason", "rule", "host", "address", "method", "protocol", "outcome", "closed_by", "event"].map { column in
            "LEFT JOIN texts AS \(column) ON \(column).number = r.\(column)"
        }.joined(separator: "\n"));
        """
}
