//! An error as it is shown.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::marker;

/// What went wrong, in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Failure {
    /// A short fixed word to branch on, such as `status`, `live` or `locked`.
    pub(crate) code: String,
    /// The whole sentence, as it stands on stderr.
    pub(crate) message: String,
    /// The item's id, where one is concerned.
    pub(crate) item: Option<String>,
    /// Scheme, host, port and path of the URL, where one is concerned.
    pub(crate) url: Option<String>,
    /// The HTTP status, where the server's answer was the reason.
    pub(crate) status: Option<u16>,
}

/// What `--json` prints when a command fails without a result.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ErrorDocument<'a> {
    pub(crate) schema: marker::Error,
    /// What went wrong.
    pub(crate) error: &'a Failure,
}

/// A refusal of the program's own, with a fixed word.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

impl From<&anyhow::Error> for Failure {
    fn from(error: &anyhow::Error) -> Self {
        let mut failure = Self::new("other", format!("{error:#}"));
        for cause in error.chain() {
            if let Some(core) = cause.downcast_ref::<dtg_core::Error>() {
                failure.core(core);
            } else if let Some(refused) = cause.downcast_ref::<Refused>() {
                failure.code = refused.code.to_owned();
            } else if let Some(code) = code_of(cause) {
                failure.code = code.to_owned();
            }
        }
        failure
    }
}

/// The code under which the store's errors would wrap this one.
fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    match cause {
        _ if cause.is::<hls_parse::Error>() => Some("playlist"),
        _ if cause.is::<dtg_core::SelectError>() => Some("select"),
        _ if cause.is::<dtg_core::PlanError>() => Some("plan"),
        _ => None,
    }
}

impl From<&dtg_core::Error> for Failure {
    fn from(error: &dtg_core::Error) -> Self {
        let mut failure = Self::new(error.code(), error.to_string());
        failure.core(error);
        failure
    }
}

impl Failure {
    /// A failure that is about no item and no URL.
    pub(crate) fn new(code: &str, message: String) -> Self {
        Self { code: code.to_owned(), message, item: None, url: None, status: None }
    }

    fn core(&mut self, error: &dtg_core::Error) {
        self.code = error.code().to_owned();
        self.item = error.item().map(ToString::to_string);
        self.url = error.url().map(ToOwned::to_owned);
        if let dtg_core::ErrorKind::Status(status) = error.kind() {
            self.status = Some(*status);
        }
    }
}
