//! How a report looks: which of the two streams is coloured, and how wide a line may be.

use crate::system::World;

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorChoice {
    /// At a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

/// Which of the two streams is coloured, and how wide a line may be.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub stdout: bool,
    pub stderr: bool,
    /// Of standard output, in characters.
    pub columns: usize,
    /// True for a terminal of that width, which breaks longer lines within words.
    pub is_window: bool,
    /// True when the locale is UTF-8, so that lines and bars of other characters than ASCII can be shown.
    pub is_utf8: bool,
}

impl Style {
    /// Without colour, in the width that every terminal has: for files, pipes and mail.
    pub const PLAIN: Self = Self { stdout: false, stderr: false, columns: 80, is_window: false, is_utf8: false };

    /// From the flag, `NO_COLOR` (any value that is not empty) and the terminal, in this order.
    pub fn choose(color: ColorChoice, world: &World) -> Self {
        let auto = color == ColorChoice::Auto
            && world.variable("NO_COLOR").is_none()
            && world.variable("TERM").is_none_or(|term| term != "dumb");
        let always = color == ColorChoice::Always;
        Self {
            stdout: always || auto && world.terminal.shows_stdout(),
            stderr: always || auto && world.terminal.shows_stderr(),
            columns: world.terminal.columns().unwrap_or(Self::PLAIN.columns),
            is_window: world.terminal.shows_stdout() && world.terminal.columns().is_some(),
            is_utf8: is_utf8(world),
        }
    }
}

/// Returns true when the locale of the environment says that text is UTF-8. The first of these variables that is set decides
/// (POSIX.1-2024, XBD 8.2); without any of them the locale is that of POSIX, which is ASCII.
fn is_utf8(world: &World) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| world.variable(name));
    let codeset = locale.and_then(|locale| locale.to_str()?.split_once('.')).map(|(_, rest)| rest.to_ascii_lowercase());
    codeset.is_some_and(|codeset| matches!(codeset.split('@').next(), Some("utf-8" | "utf8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_says_whether_text_is_utf_8() {
        for (variables, expected) in [
            (&[][..], false),
            (&[("LANG", "en_US.UTF-8")], true),
            (&[("LANG", "de_DE.utf8@euro")], true),
            (&[("LANG", "de_DE.ISO-8859-1")], false),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "C.UTF-8")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_CTYPE", "POSIX")], false),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "")], true),
        ] {
            let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
            let world = World { environment, ..World::system().unwrap() };
            assert_eq!(is_utf8(&world), expected, "{variables:?}");
        }
    }
}
