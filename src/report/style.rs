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
}

impl Style {
    /// Without colour, in the width that every terminal has: for files, pipes and mail.
    pub const PLAIN: Self = Self { stdout: false, stderr: false, columns: 80, is_window: false };

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
        }
    }
}
