//! Typed words: what was typed ([`RawArgs`]) becomes a checked [`Command`].

mod id;
mod keep;
mod selection;
mod transfer;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use dtg_core::{Decoders, ItemId, SelectionOptions};
use hls_parse::Reading;

pub(crate) use id::id_of;
use keep::KeepArgs;
pub(crate) use keep::{Limit, Wanted, When};
use selection::{DecoderArgs, SelectionArgs};
use transfer::TransferArgs;
pub(crate) use transfer::{Header, Transfer};

/// Downloads HLS presentations, keeps them, and plays them with the network gone.
#[derive(Debug, Parser)]
#[command(name = "dtg", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed (one line on stderr says why), 2 wrong usage, 130 stopped by Ctrl-C."
)]
pub(crate) struct RawArgs {
    /// Folder of the store [default: $DTG_DIR, else the platform's data folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    dir: Option<Utf8PathBuf>,

    /// Print exactly one JSON document (its schema: docs/schema)
    #[arg(long, global = true)]
    json: bool,

    /// No progress and no notes; errors are still told
    #[arg(long, short, global = true)]
    quiet: bool,

    #[command(subcommand)]
    command: RawCommand,
}

#[derive(Debug, Subcommand)]
enum RawCommand {
    /// Download a presentation; run it again to go on where it stopped
    Download(RawDownload),
    /// List the items
    #[command(visible_alias = "ls")]
    List,
    /// Show one item
    Info {
        /// The item
        id: ItemId,
    },
    /// Go on with one item, or with all that are paused, interrupted or not yet started
    Resume {
        /// The item; all of them when left out
        id: Option<ItemId>,
        #[command(flatten)]
        transfer: TransferArgs,
    },
    /// Remove an item and its files
    #[command(visible_alias = "rm")]
    Remove {
        /// The item
        id: ItemId,
    },
    /// Look at every byte of one item, or of all that are completed; what is damaged is not completed any more
    Verify {
        /// The item; all of them when left out
        id: Option<ItemId>,
    },
    /// Verify, and fetch what is missing or damaged
    Repair {
        /// The item; all of them when left out
        id: Option<ItemId>,
        #[command(flatten)]
        transfer: TransferArgs,
    },
    /// Say how long an item is wanted: what a quota removes, and what not
    Keep {
        /// The item
        id: ItemId,
        #[command(flatten)]
        wanted: KeepArgs,
    },
    /// Show what each item takes of the disk, and what removing it gives back
    Storage,
    /// Show or set how much the media of all items may take; what is too much is removed at once
    Quota {
        /// Such as 20GB, or none
        limit: Option<Limit>,
    },
    /// Serve the completed items to players on this machine, until Ctrl-C
    Serve {
        /// Port on 127.0.0.1 [default: any free one]
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        port: u16,
    },
    /// Show what a playlist says, and what is odd about it
    Inspect {
        /// URL or file of a playlist; `-` reads it from stdin
        source: Source,
        /// Refuse what the RFC says must be refused
        #[arg(long)]
        strict: bool,
        /// Where a file came from: what its URIs lead to, and the query that EXT-X-DEFINE may ask for
        #[arg(long, value_name = "URL")]
        base_url: Option<url::Url>,
        /// The multivariant playlist that it belongs to: EXT-X-DEFINE may import from there
        #[arg(long, value_name = "URL|FILE")]
        multivariant: Option<Source>,
    },
    /// Show what `download` would choose and fetch; nothing is stored
    Plan {
        /// URL or file of a playlist; `-` reads it from stdin
        source: Source,
        /// Where a file came from, and its media playlists are; without it they are read beside the file
        #[arg(long, value_name = "URL")]
        base_url: Option<url::Url>,
        #[command(flatten)]
        selection: SelectionArgs,
        #[command(flatten)]
        decoders: DecoderArgs,
    },
}

#[derive(Debug, Args)]
struct RawDownload {
    /// The playlist: http or https
    url: String,
    /// The item's id [default: made from the URL]
    #[arg(long)]
    id: Option<ItemId>,
    #[command(flatten)]
    transfer: TransferArgs,
    /// Header of each request to the URL's own host, as `Name: value`; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<Header>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    decoders: DecoderArgs,
}

/// Where a playlist is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// An http or https URL (or another scheme, which is refused later).
    Url(String),
    /// A file of this machine.
    File(Utf8PathBuf),
    /// Standard input.
    Stdin,
}

impl std::str::FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "-" => Self::Stdin,
            _ if text.contains("://") => Self::Url(text.to_owned()),
            _ => Self::File(text.into()),
        })
    }
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Words and tables for people.
    Human,
    /// One JSON document.
    Json,
}

/// How much is said beside the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chatter {
    /// Progress and notes.
    Normal,
    /// Nothing.
    Quiet,
}

/// A whole command line, checked.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) command: Command,
    pub(crate) format: Format,
    pub(crate) chatter: Chatter,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Command {
    Download(Download),
    List(Store),
    Info(Store, ItemId),
    Resume(Resume),
    Remove(Store, ItemId),
    Verify(Store, Option<ItemId>),
    Repair(Resume),
    Keep(Store, ItemId, Vec<Wanted>),
    Storage(Store),
    Quota(Store, Option<Limit>),
    Serve(Store, u16),
    Inspect(Inspect),
    Plan(Plan),
}

/// The folder that was named, if one was.
#[derive(Debug, Clone)]
pub(crate) struct Store(pub(crate) Option<Utf8PathBuf>);

#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) id: Named,
    pub(crate) transfer: Transfer,
    pub(crate) headers: Vec<Header>,
    pub(crate) selection: SelectionOptions,
    pub(crate) decoders: Decoders,
}

/// An id, and who chose it.
#[derive(Debug)]
pub(crate) enum Named {
    ByUser(ItemId),
    ByUrl(ItemId),
}

impl Named {
    pub(crate) const fn id(&self) -> &ItemId {
        match self {
            Self::ByUser(id) | Self::ByUrl(id) => id,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Resume {
    pub(crate) store: Store,
    pub(crate) id: Option<ItemId>,
    pub(crate) transfer: Transfer,
}

#[derive(Debug)]
pub(crate) struct Inspect {
    pub(crate) source: Source,
    /// Where a file came from.
    pub(crate) base_url: Option<url::Url>,
    /// Where variables are imported from.
    pub(crate) multivariant: Option<Source>,
    pub(crate) reading: Reading,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) source: Source,
    /// Where a file came from.
    pub(crate) base_url: Option<url::Url>,
    pub(crate) selection: SelectionOptions,
    pub(crate) decoders: Decoders,
}

impl From<RawArgs> for Invocation {
    fn from(raw: RawArgs) -> Self {
        let store = Store(raw.dir);
        Self {
            command: raw.command.checked(store),
            format: if raw.json { Format::Json } else { Format::Human },
            chatter: if raw.quiet { Chatter::Quiet } else { Chatter::Normal },
        }
    }
}

impl RawCommand {
    fn checked(self, store: Store) -> Command {
        match self {
            Self::Download(raw) => Command::Download(raw.checked(store)),
            Self::List => Command::List(store),
            Self::Info { id } => Command::Info(store, id),
            Self::Resume { id, transfer } => Command::Resume(Resume { store, id, transfer: transfer.into() }),
            Self::Remove { id } => Command::Remove(store, id),
            Self::Verify { id } => Command::Verify(store, id),
            Self::Repair { id, transfer } => Command::Repair(Resume { store, id, transfer: transfer.into() }),
            Self::Keep { id, wanted } => Command::Keep(store, id, wanted.into()),
            Self::Storage => Command::Storage(store),
            Self::Quota { limit } => Command::Quota(store, limit),
            Self::Serve { port } => Command::Serve(store, port),
            Self::Inspect { source, strict, base_url, multivariant } => {
                let reading = if strict { Reading::Strict } else { Reading::Lenient };
                Command::Inspect(Inspect { source, base_url, multivariant, reading })
            }
            Self::Plan { source, base_url, selection, decoders } => Command::Plan(Plan {
                source,
                base_url,
                selection: selection.into(),
                decoders: decoders.into(),
            }),
        }
    }
}

impl RawDownload {
    fn checked(self, store: Store) -> Download {
        Download {
            id: self.id.map_or_else(|| Named::ByUrl(id_of(&self.url)), Named::ByUser),
            store,
            url: self.url,
            transfer: self.transfer.into(),
            headers: self.headers,
            selection: self.selection.into(),
            decoders: self.decoders.into(),
        }
    }
}

#[cfg(test)]
mod tests;
