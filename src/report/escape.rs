//! The only way for text from outside to reach a terminal or a log.

use crate::limits;

/// `text` bounded, and without any character that could move a cursor, start a new line or reverse the reading order.
/// A CI log is a command channel: a line that starts with `::` would be obeyed.
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == limits::SHOWN_TEXT {
            shown.push('…');
            break;
        }
        if character.is_control() || is_invisible(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Line and paragraph separators, zero-width and bidirectional controls.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn lines_colours_and_reading_order_are_disarmed() {
        for (text, safe) in [
            ("plain ünïcode", "plain ünïcode"),
            ("a\n::error::b", "a\\u{a}::error::b"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("abc\u{202e}fed", "abc\\u{202e}fed"),
        ] {
            assert_eq!(shown(text), safe);
        }
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(
            shown(&"é".repeat(1000)).chars().count(),
            crate::limits::SHOWN_TEXT + 1
        );
    }
}
