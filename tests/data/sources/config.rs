//! Layered configuration: defaults, then a file, then the environment.

#![warn(missing_docs)]

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

/* Block comments /* nest */ in Rust. */
const TEMPLATE: &str = r#"
[server]
port = "8080" # a { that never closes
"#;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Layer {
    /// Built in.
    Default,
    /// Read from a file, at this line.
    File { line: usize },
    Environment(&'static str),
}

#[derive(Debug)]
pub enum Error {
    Io(std::io::Error),
    Syntax { path: PathBuf, line: usize },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(inner) => write!(f, "cannot read: {inner}"),
            Error::Syntax { path, line } => {
                let shown = path.display();
                write!(f, "{shown}:{line}: expected `key = value`")
            }
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(inner: std::io::Error) -> Self {
        Error::Io(inner)
    }
}

macro_rules! layers {
    ($($name:ident => $value:expr),* $(,)?) => {{
        let mut map = HashMap::new();
        $( map.insert(stringify!($name), $value); )*
        map
    }};
}

/// Values by key, each with the layer that gave it.
pub struct Config<'a, K = String>
where
    K: Ord + 'a,
{
    values: BTreeMap<K, (String, Layer)>,
    parent: Option<&'a Config<'a, K>>,
}

impl<'a> Config<'a> {
    /// Reads `path`; a missing file is an empty one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        for (index, raw) in text.lines().enumerate() {
            let line = raw.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return Err(Error::Syntax { path: path.to_owned(), line: index + 1 });
            };
            values.insert(
                key.trim().to_string(),
                (value.trim().to_string(), Layer::File { line: index + 1 }),
            );
        }
        Ok(Config { values, parent: None })
    }

    #[must_use]
    #[inline]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values
            .get(key)
            .map(|(value, _)| value.as_str())
            .or_else(|| self.parent.and_then(|parent| parent.get(key)))
    }

    fn port(&self) -> u16 {
        let number = if let Some(text) = self.get("port") {
            text.parse().unwrap_or_else(|_| {
                eprintln!("not a port: {text}");
                8080
            })
        } else {
            8080
        };
        loop {
            if number >= 1024 {
                break number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults() {
        let map = layers! { port => 1, host => 2 };
        assert_eq!(map.len(), 2);
        assert!(TEMPLATE.contains('{'));
    }
}
