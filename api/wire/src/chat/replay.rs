//! A whole answer as the events of a stream.

use super::answer::{Answer, Choice};
use super::event::Event;

/// The events that say an answer at once.
#[must_use]
pub fn replay(answer: &Answer) -> Vec<Event> {
    let mut events = vec![Event::Start {
        dialect: answer.dialect,
        id: answer.id.clone(),
        model: answer.model.clone(),
        created_s: answer.created_s,
    }];
    for choice in &answer.choices {
        say(choice, &mut events);
    }
    events.extend(answer.counts.map(Event::Usage));
    events.push(Event::Whole);
    events
}

fn say(choice: &Choice, events: &mut Vec<Event>) {
    let index = choice.index;
    for (part, body) in (0..).zip(&choice.parts) {
        events.push(Event::Begin { choice: index, part, body: Box::new(body.clone()) });
        events.push(Event::End { choice: index, part });
    }
    let logprobs = choice.logprobs.iter();
    events.extend(logprobs.map(|likely| Event::Logprobs { choice: index, likely: likely.clone() }));
    events.push(Event::Finish {
        choice: index,
        finish: choice.finish.clone(),
        stop_sequence: choice.stop_sequence.clone(),
    });
}
