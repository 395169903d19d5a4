//! The `dtg` program: download HLS, keep it, play it with the network gone.

mod args;
mod output;
mod progress;
mod run;
mod signals;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use args::{Invocation, RawArgs};
use output::{Failure, Out};
use run::Outcome;

fn main() -> ExitCode {
    let invocation = Invocation::from(RawArgs::parse());
    let (mut stdout, mut stderr) = (io::BufWriter::new(io::stdout().lock()), io::stderr());
    let mut out = Out::new(&mut stdout, &mut stderr, &invocation);
    let result = run::run(invocation.command, &mut out).and_then(|outcome| Ok((outcome, out.flush()?)));
    let code = match result {
        Ok((Outcome::Done, ())) => 0,
        Ok((Outcome::Stopped, ())) => signals::INTERRUPTED,
        Ok((Outcome::Failed(failure), ())) => tell(&failure),
        Err(error) if is_broken_pipe(&error) => 0,
        Err(error) => {
            let failure = Failure::from(&error);
            // What can't be written is told on stderr all the same.
            drop(out.failure(&failure).and_then(|()| out.flush()));
            tell(&failure)
        }
    };
    ExitCode::from(code)
}

/// One plain line, whatever the message holds.
fn tell(failure: &Failure) -> u8 {
    let line = failure.message.replace(char::is_control, " ");
    // Nobody is left to tell when stderr is gone.
    drop(writeln!(io::stderr(), "dtg: {line}"));
    1
}

/// Whoever read the output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
