//! The keys that mean something.

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The one before.
    Up,
    /// The one after.
    Down,
    /// Several before.
    PageUp,
    /// Several after.
    PageDown,
    /// The first one.
    First,
    /// The last one.
    Last,
    /// The list before.
    Previous,
    /// The next list.
    Next,
    /// What can be done to it, or to do it.
    Enter,
    /// Back.
    Escape,
    /// A letter, a digit or a sign.
    Letter(char),
    /// Ctrl-C, which a terminal that is drawn on does not turn into a signal.
    Interrupt,
}
