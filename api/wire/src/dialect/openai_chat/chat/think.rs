//! Thoughts that stand in the text itself, between `<think>` and `</think>`, as open models write them
//! where nobody takes them out.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Tells thoughts from words in a text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Think {
    state: State,
    /// What may yet be a part of a mark.
    held: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Nothing but space has come.
    #[default]
    Start,
    Inside,
    Outside,
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Words(String),
    Thought(String),
}

impl Think {
    /// Thoughts have a place of their own: none are to be found in the text.
    pub(super) fn elsewhere(&mut self) {
        if self.held.is_empty() && self.state == State::Start {
            self.state = State::Outside;
        }
    }

    /// Takes the next piece; marks fall away, and nothing else does.
    pub(super) fn push(&mut self, text: String) -> Vec<Piece> {
        if self.state == State::Outside {
            return vec![Piece::Words(text)];
        }
        self.held.push_str(&text);
        if self.state == State::Start {
            let begun = self.held.trim_start();
            if let Some(rest) = begun.strip_prefix(OPEN) {
                self.held = rest.to_owned();
                self.state = State::Inside;
            } else if OPEN.starts_with(begun) {
                return Vec::new();
            } else {
                self.state = State::Outside;
                return vec![Piece::Words(std::mem::take(&mut self.held))];
            }
        }
        self.inside()
    }

    fn inside(&mut self) -> Vec<Piece> {
        let held = std::mem::take(&mut self.held);
        if let Some((thought, rest)) = held.split_once(CLOSE) {
            self.state = State::Outside;
            return vec![Piece::Thought(thought.to_owned()), Piece::Words(rest.to_owned())];
        }
        let kept = (1..CLOSE.len()).rev().find(|length| held.ends_with(&CLOSE[..*length]));
        let (thought, mark) = held.split_at(held.len() - kept.unwrap_or(0));
        self.held = mark.to_owned();
        vec![Piece::Thought(thought.to_owned())]
    }

    /// The text has ended, or something else begins: what was held back.
    pub(super) fn flush(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Start if held.is_empty() => None,
            State::Inside => Some(Piece::Thought(held)),
            State::Start | State::Outside => {
                self.state = State::Outside;
                Some(Piece::Words(held))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, size: usize) -> (String, String) {
        let (mut think, mut thoughts, mut words) = (Think::default(), String::new(), String::new());
        let mut add = |piece| match piece {
            Piece::Thought(text) => thoughts.push_str(&text),
            Piece::Words(text) => words.push_str(&text),
        };
        let letters: Vec<char> = text.chars().collect();
        for piece in letters.chunks(size) {
            think.push(piece.iter().collect()).into_iter().for_each(&mut add);
        }
        think.flush().into_iter().for_each(&mut add);
        (thoughts, words)
    }

    #[test]
    fn thoughts_are_told_from_words_however_the_text_is_cut() {
        let cases = [
            ("\n<think>\na </b </think>\n\né", ("\na </b ", "\n\né")),
            ("<think>cut </thi", ("cut </thi", "")),
            ("  <thin", ("", "  <thin")),
            ("say <think>x</think>", ("", "say <think>x</think>")),
            ("<think></think>x<think>", ("", "x<think>")),
            ("", ("", "")),
        ];
        for (text, (thoughts, words)) in cases {
            for size in 1..30 {
                assert_eq!(told(text, size), (thoughts.to_owned(), words.to_owned()), "{size}");
            }
        }
    }
}
