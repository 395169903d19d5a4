//! `fairplay inspect`: what is in an SPC or a CKC, on its own or with what opens it.

use anyhow::Result;

use super::Usage;

mod inspect;

/// Does what the words say.
pub(super) fn run(words: &[&str]) -> Result<()> {
    let ["inspect", words @ ..] = words else { return Err(usage()) };
    print!("{}", inspect::text(&order(words)?)?);
    Ok(())
}

fn usage() -> anyhow::Error {
    Usage("fairplay takes inspect and a file".to_owned()).into()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Order<'a> {
    file: &'a str,
    key: Option<&'a str>,
    dask: Option<&'a str>,
    spc: Option<&'a str>,
    form: Form,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Text,
    Json,
}

fn order<'a>(words: &[&'a str]) -> Result<Order<'a>> {
    let mut order = Order::default();
    let mut rest = words;
    while let Some((word, mut after)) = rest.split_first() {
        let mut value = || {
            let (value, others) =
                after.split_first().ok_or_else(|| Usage(format!("{word} takes a value")))?;
            after = others;
            Ok::<_, Usage>(Some(*value))
        };
        match *word {
            "--key" => order.key = value()?,
            "--dask" => order.dask = value()?,
            "--spc" => order.spc = value()?,
            "--json" => order.form = Form::Json,
            file if order.file.is_empty() && !file.starts_with("--") => order.file = file,
            word => return Err(Usage::unknown(word)),
        }
        rest = after;
    }
    if order.file.is_empty() { Err(usage()) } else { Ok(order) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_inspected_with_the_keys_that_are_given() {
        let all = ["--key", "k.pem", "a.ckc", "--dask", "00", "--json", "--spc", "a.spc"];
        let expected = Order {
            file: "a.ckc",
            key: Some("k.pem"),
            dask: Some("00"),
            spc: Some("a.spc"),
            form: Form::Json,
        };
        assert_eq!(order(&all).unwrap(), expected);
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for words in [&["a", "b"][..], &["a", "--key"], &["--jsn", "a"], &["--json"]] {
            assert!(order(words).unwrap_err().is::<Usage>(), "{words:?}");
        }
    }
}
