//! SQLite's callbacks. The only unsafe code of the project.
//!
//! The authorizer decides while a statement is prepared. It does not learn of joins by name, see
//! [`super::joins`]; these are stopped when they start to run. A statement that is stopped so may still be
//! prepared anew, if the schema was changed meanwhile, and start again unannounced: that is what the progress
//! handler is for.
#![expect(unsafe_code, reason = "the authorizer is a C callback, and sqlx has no safe form of it")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use libsqlite3_sys::{
    SQLITE_DENY, SQLITE_OK, SQLITE_TRACE_STMT, sqlite3, sqlite3_db_handle, sqlite3_exec,
    sqlite3_interrupt, sqlite3_next_stmt, sqlite3_progress_handler, sqlite3_set_authorizer,
    sqlite3_sql, sqlite3_stmt, sqlite3_stmt_busy, sqlite3_trace_v2,
};
use sea_orm::sqlx;
use sea_orm::sqlx::sqlite::LockedSqliteHandle;

use super::joins;
use super::rules::{Question, Rules, names_a_guard};

/// From here on SQLite asks these rules about every statement, also about those prepared before.
pub(super) fn install(
    handle: &mut LockedSqliteHandle<'_>,
    rules: &'static Rules,
) -> Result<(), sqlx::Error> {
    let (handle, data) = (handle.as_raw_handle().as_ptr(), ptr::from_ref(rules).cast_mut().cast());
    // SAFETY: the handle is open, and locked, so nobody else uses it now. The other callback has no data.
    succeed(unsafe { sqlite3_trace_v2(handle, SQLITE_TRACE_STMT, Some(start), ptr::null_mut()) })?;
    // SAFETY: the handle as above. `data` points to rules that are never freed and may be read from any
    // thread (`&'static Rules` is `Send`); `answer` never writes to them.
    succeed(unsafe { sqlite3_set_authorizer(handle, Some(answer), data) })
}

/// Runs a statement that need not be UTF-8, which sqlx would not take.
pub(super) fn execute(
    handle: &mut LockedSqliteHandle<'_>,
    statement: &CStr,
) -> Result<(), sqlx::Error> {
    let handle = handle.as_raw_handle().as_ptr();
    // SAFETY: the handle is open and locked as above, the statement ends with a zero byte and outlives the
    // call. No rows and no error text are asked for.
    succeed(unsafe {
        sqlite3_exec(handle, statement.as_ptr(), None, ptr::null_mut(), ptr::null_mut())
    })
}

fn succeed(code: c_int) -> Result<(), sqlx::Error> {
    match code {
        SQLITE_OK => Ok(()),
        code => Err(sqlx::Error::Configuration(
            format!("the connection could not be confined: SQLite's error {code}").into(),
        )),
    }
}

unsafe extern "C" fn answer(
    rules: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    by: *const c_char,
) -> c_int {
    // SAFETY: SQLite passes what `install` gave it, and strings that live until this returns, or null.
    let (rules, first, second, by) =
        unsafe { (&*rules.cast::<Rules>(), bytes(first), bytes(second), bytes(by)) };
    let allowed = || {
        let (Ok(first), Ok(second)) = (str::from_utf8(first), str::from_utf8(second)) else {
            return false;
        };
        rules.allow(&Question { action, first, second, by })
    };
    // A panic must not cross into C. Nothing is left half done: the rules are only read.
    if catch_unwind(AssertUnwindSafe(allowed)).unwrap_or(false) { SQLITE_OK } else { SQLITE_DENY }
}

/// Called by SQLite when a statement starts to run, and for each of its triggers.
unsafe extern "C" fn start(
    _event: u32,
    _data: *mut c_void,
    statement: *mut c_void,
    _text: *mut c_void,
) -> c_int {
    let statement = statement.cast();
    // SAFETY: SQLite passes the statement, whose connection is open and is now used by this thread only. The
    // handler's data is that connection, which calls it only while it is open.
    unsafe {
        let handle = sqlite3_db_handle(statement);
        if is_refused(statement) {
            sqlite3_progress_handler(handle, 1, Some(must_stop), handle.cast());
            sqlite3_interrupt(handle);
        } else {
            sqlite3_progress_handler(handle, 0, None, ptr::null_mut());
        }
    }
    SQLITE_OK
}

/// Called by SQLite while a statement runs, and while another is prepared: only the former must stop.
unsafe extern "C" fn must_stop(handle: *mut c_void) -> c_int {
    let handle = handle.cast::<sqlite3>();
    // SAFETY: the connection is open, see `start`; its statements are walked by the thread that uses it.
    unsafe {
        let mut statement = sqlite3_next_stmt(handle, ptr::null_mut());
        while !statement.is_null() {
            if sqlite3_stmt_busy(statement) != 0 && is_refused(statement) {
                return 1;
            }
            statement = sqlite3_next_stmt(handle, statement);
        }
    }
    0
}

/// # Safety
/// The statement is one of an open connection.
unsafe fn is_refused(statement: *mut sqlite3_stmt) -> bool {
    // SAFETY: as demanded above; the text lives as long as the statement.
    let sql = unsafe { bytes(sqlite3_sql(statement)) };
    catch_unwind(|| sql.is_empty() || joins::by_name(sql) || names_a_guard(sql)).unwrap_or(true)
}

/// # Safety
/// The string ends with a zero byte and outlives the result, or is null.
unsafe fn bytes<'a>(string: *const c_char) -> &'a [u8] {
    if string.is_null() {
        return &[];
    }
    // SAFETY: as demanded above.
    unsafe { CStr::from_ptr(string) }.to_bytes()
}
