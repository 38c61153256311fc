// The door to SQLite.
#ifndef PENSTOCK_CSQLITE_SHIM_H
#define PENSTOCK_CSQLITE_SHIM_H

#include <sqlite3.h>

// sqlite3_db_config is variadic: the form of it that sets a switch.
static inline int csqlite_configure(sqlite3 *connection, int operation, int value) {
    return sqlite3_db_config(connection, operation, value, (int *)0);
}

// SQLITE_TRANSIENT is a macro that casts: SQLite copies the bytes before the call returns.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, bytes, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

#endif
