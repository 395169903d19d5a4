//! Developer commands: this program parses its words and starts things.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to who started it")]

mod command;

use std::process::ExitCode;

use command::Usage;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match command::run(&words) {
        Ok(code) => code,
        Err(error) if error.is::<Usage>() => {
            eprintln!("error: {error}\n\n{}", command::USAGE);
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
