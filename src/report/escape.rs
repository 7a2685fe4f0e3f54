//! The only way for text from outside to reach a terminal or a log.

use crate::limits;

/// `text` bounded, and without any character that could move a cursor, start a new line or reverse the reading order.
/// A CI log is a command channel: a line that starts with `::` would be obeyed, and `##[` or `##vso[` anywhere in it.
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut last = ' ';
    for (count, character) in text.chars().enumerate() {
        if count == limits::SHOWN_TEXT {
            shown.push('…');
            break;
        }
        let is_command = (last, character) == ('#', '#');
        last = character;
        if is_command || is_unsafe(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same for the text of a JSON document: what is unsafe is written as an escape of the same character.
pub(super) fn json(text: &str) -> String {
    let mut safe = String::new();
    let mut last = ' ';
    for character in text.chars() {
        let is_command = (last, character) == ('#', '#');
        last = character;
        if is_command || (is_unsafe(character) && character != '\n') {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// `text`, or as much of it as a report for scripts repeats.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(limits::REPORTED_TEXT).collect()
}

fn is_unsafe(character: char) -> bool {
    character.is_control() || is_invisible(character)
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
            ("a ##[add-mask]b", "a #\\u{23}[add-mask]b"),
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
