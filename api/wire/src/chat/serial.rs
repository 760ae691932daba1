//! Parts one behind the other, for dialects that know no parts side by side.

use super::event::Event;

/// Brings the events of the first answer into such an order that each part has ended before the next
/// begins. Nothing is held back longer than that takes.
#[derive(Debug, Default)]
pub struct Serial {
    open: Option<u32>,
    /// What came for parts that have to wait for their turn.
    waiting: Vec<Event>,
}

impl Serial {
    /// Nothing open.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event; `say` gets whatever has its turn now. Events of other answers fall away.
    pub fn push(&mut self, event: &Event, say: &mut dyn FnMut(&Event)) {
        let part = match event {
            Event::Begin { choice: 0, part, .. }
            | Event::Delta { choice: 0, part, .. }
            | Event::End { choice: 0, part } => *part,
            Event::Begin { .. }
            | Event::Delta { .. }
            | Event::End { .. }
            | Event::Logprobs { choice: 1.., .. }
            | Event::Finish { choice: 1.., .. } => return,
            Event::Start { .. }
            | Event::Logprobs { .. }
            | Event::Finish { .. }
            | Event::Usage(_)
            | Event::Ping
            | Event::Failed(_) => return say(event),
            Event::Whole => {
                self.finish(say);
                return say(event);
            }
        };
        match (self.open, event) {
            (None, Event::Begin { .. }) => {
                self.open = Some(part);
                say(event);
            }
            (Some(open), Event::Delta { .. }) if open == part => say(event),
            (Some(open), Event::End { .. }) if open == part => {
                self.open = None;
                say(event);
                let waiting = std::mem::take(&mut self.waiting);
                waiting.iter().for_each(|event| self.push(event, say));
            }
            // Another part has its turn.
            (Some(_) | None, _) => self.waiting.push(event.clone()),
        }
    }

    /// Ends what is open, and whatever waits for that.
    fn finish(&mut self, say: &mut dyn FnMut(&Event)) {
        while let Some(part) = self.open {
            self.push(&Event::End { choice: 0, part }, say);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Delta, Part};

    #[test]
    fn mixed_parts_come_one_behind_the_other_and_all_of_them_end() {
        let begin = |part| Event::Begin { choice: 0, part, body: Box::new(Part::text("")) };
        let delta = |part, text: &str| Event::Delta {
            choice: 0,
            part,
            delta: Delta::Text(text.to_owned()),
        };
        let end = |part| Event::End { choice: 0, part };
        let mut serial = Serial::new();
        let mut said = Vec::new();
        let mixed = [
            begin(0),
            begin(1),
            delta(1, "b"),
            delta(0, "a"),
            end(0),
            delta(1, "c"),
            begin(2),
            Event::Whole,
        ];
        mixed.iter().for_each(|event| serial.push(event, &mut |event| said.push(event.clone())));
        let straight = [
            begin(0),
            delta(0, "a"),
            end(0),
            begin(1),
            delta(1, "b"),
            delta(1, "c"),
            end(1),
            begin(2),
            end(2),
            Event::Whole,
        ];
        assert_eq!(said, straight);
    }
}
