//! What a strict client of each format expects of a stream's order.

use std::collections::BTreeMap;

use serde_json::Value;

/// Events by name and data.
fn events(stream: &str) -> Vec<(String, String)> {
    let (blocks, end) = (stream.split("\n\n"), stream.is_empty() || stream.ends_with("\n\n"));
    assert!(end, "the last event lacks its blank line");
    let mut events = Vec::new();
    for block in blocks.filter(|block| !block.is_empty() && !block.starts_with(": ")) {
        let (mut name, mut data) = (String::new(), None);
        for line in block.lines() {
            let (field, value) = line.split_once(": ").unwrap();
            match field {
                "event" => name = value.to_owned(),
                "data" => assert!(data.replace(value.to_owned()).is_none(), "{block}"),
                other => panic!("unexpected field {other}"),
            }
        }
        events.push((name, data.unwrap()));
    }
    events
}

/// Checks a whole stream of chat chunks.
pub(super) fn openai(stream: &str, usage_asked: bool) {
    let mut events = events(stream);
    let (name, done) = events.pop().unwrap();
    assert_eq!((name.as_str(), done.as_str()), ("", "[DONE]"));
    let (mut finished, mut begun, mut calls): (Vec<u64>, Vec<u64>, Vec<(u64, u64)>) =
        Default::default();
    let (mut id, mut usage) = (None, 0);
    for (name, data) in &events {
        assert_eq!((name.as_str(), usage), ("", 0), "{data}");
        let chunk: Value = serde_json::from_str(data).unwrap();
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert!(chunk["created"].is_u64() && chunk["model"].is_string(), "{data}");
        assert_eq!(id.get_or_insert(chunk["id"].clone()), &chunk["id"]);
        let choices = chunk["choices"].as_array().unwrap();
        if choices.is_empty() {
            assert!(usage_asked && chunk["usage"]["total_tokens"].is_u64(), "{data}");
            usage += 1;
        }
        for choice in choices {
            let index = choice["index"].as_u64().unwrap();
            assert!(!finished.contains(&index), "after its end: {data}");
            let delta = choice["delta"].as_object().unwrap();
            if !begun.contains(&index) {
                assert_eq!(delta["role"], "assistant");
                begun.push(index);
            }
            for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                let key = (index, call["index"].as_u64().unwrap());
                assert!(call["function"]["arguments"].is_string(), "{data}");
                if !calls.contains(&key) {
                    let before = calls.iter().filter(|(choice, _)| *choice == index).count();
                    assert_eq!(key.1, before as u64, "{data}");
                    let told = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
                    assert!(told(&call["id"]) && told(&call["function"]["name"]), "{data}");
                    assert_eq!(call["type"], "function");
                    calls.push(key);
                }
            }
            if choice["finish_reason"].is_string() {
                finished.push(index);
            }
        }
    }
    assert_eq!(finished.len(), begun.len(), "not every choice has finished");
}

/// Checks a whole stream of messages.
pub(super) fn anthropic(stream: &str) {
    let events = events(stream);
    let (mut open, mut next): (Option<(u64, String, String)>, u64) = (None, 0);
    let (mut started, mut stop, mut ended) = (false, None, false);
    for (name, data) in &events {
        let event: Value = serde_json::from_str(data).unwrap();
        assert_eq!(event["type"], name.as_str());
        assert!(!ended, "after the end: {data}");
        assert!(started || name == "message_start", "before the start: {data}");
        match name.as_str() {
            "ping" => {}
            "message_start" => {
                let message = &event["message"];
                assert!(!std::mem::replace(&mut started, true));
                assert_eq!(
                    (&message["type"], &message["role"]),
                    (&"message".into(), &"assistant".into())
                );
                assert!(
                    message["usage"]["input_tokens"].is_u64() && message["stop_reason"].is_null()
                );
            }
            "content_block_start" => {
                assert!(open.is_none() && stop.is_none(), "{data}");
                assert_eq!(event["index"], next);
                let kind = event["content_block"]["type"].as_str().unwrap().to_owned();
                open = Some((next, kind, String::new()));
            }
            "content_block_delta" => {
                let (index, kind, arguments) = open.as_mut().unwrap();
                assert_eq!(event["index"], *index);
                let delta = &event["delta"];
                let fits = match delta["type"].as_str().unwrap() {
                    "text_delta" | "citations_delta" => kind == "text",
                    "thinking_delta" | "signature_delta" => kind == "thinking",
                    "input_json_delta" => {
                        arguments.push_str(delta["partial_json"].as_str().unwrap());
                        kind.ends_with("tool_use")
                    }
                    _ => false,
                };
                assert!(fits, "{kind}: {data}");
            }
            "content_block_stop" => {
                assert_eq!(event["index"], open.take().unwrap().0);
                next += 1;
            }
            "message_delta" => {
                assert!(open.is_none() && event["usage"]["output_tokens"].is_u64(), "{data}");
                stop = Some(event["delta"]["stop_reason"].as_str().unwrap().to_owned());
            }
            "message_stop" => {
                assert!(stop.is_some());
                ended = true;
            }
            other => panic!("unknown event {other}"),
        }
    }
    assert!(ended, "no message_stop");
}

/// Checks a whole stream of a response, or one that failed.
pub(super) fn responses(stream: &str) {
    let events = events(stream);
    // Items by their place: their id, whether they are done; parts by item and number: their words.
    let mut items: Vec<(Value, bool)> = Vec::new();
    let mut parts: BTreeMap<(u64, u64), (String, bool)> = BTreeMap::new();
    let mut ended = None;
    for (number, (name, data)) in events.iter().enumerate() {
        let event: Value = serde_json::from_str(data).unwrap();
        assert_eq!(
            (&event["type"], &event["sequence_number"]),
            (&name.as_str().into(), &number.into())
        );
        assert!(ended.is_none(), "after the end: {data}");
        assert_eq!(number < 2, ["response.created", "response.in_progress"].contains(&&name[..]));
        let place = event["output_index"].as_u64();
        let at = (place.unwrap_or(0), event["content_index"].as_u64().unwrap_or(0));
        if let Some((id, done)) = place.and_then(|place| items.get(usize::try_from(place).unwrap()))
            && name != "response.output_item.done"
        {
            assert!(!done && event["item_id"] == *id, "{data}");
        }
        match name.as_str() {
            "response.output_item.added" => {
                assert_eq!(place, Some(items.len() as u64), "{data}");
                items.push((event["item"]["id"].clone(), false));
            }
            "response.output_item.done" => {
                let (id, done) = &mut items[usize::try_from(place.unwrap()).unwrap()];
                assert!(!std::mem::replace(done, true), "{data}");
                assert_eq!(event["item"]["id"], *id, "{data}");
            }
            "response.content_part.added" | "response.reasoning_summary_part.added" => {
                assert!(parts.insert(at, (String::new(), false)).is_none(), "{data}");
            }
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.reasoning_summary_text.delta" => {
                let (words, done) = parts.get_mut(&at).unwrap();
                assert!(!*done, "{data}");
                words.push_str(event["delta"].as_str().unwrap());
            }
            "response.output_text.done" | "response.reasoning_summary_text.done" => {
                assert_eq!(event["text"], parts[&at].0.as_str(), "{data}");
            }
            "response.refusal.done" => assert_eq!(event["refusal"], parts[&at].0.as_str()),
            "response.content_part.done" | "response.reasoning_summary_part.done" => {
                assert!(!std::mem::replace(&mut parts.get_mut(&at).unwrap().1, true), "{data}");
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                let (words, _) = parts.entry(at).or_default();
                words.push_str(event["delta"].as_str().unwrap());
            }
            "response.function_call_arguments.done" => {
                assert_eq!(event["arguments"], parts.remove(&at).unwrap().0.as_str(), "{data}");
            }
            "response.completed" | "response.incomplete" => {
                let response = &event["response"];
                assert!(items.iter().all(|(_, done)| *done), "{data}");
                assert_eq!(
                    name.as_str(),
                    format!("response.{}", response["status"].as_str().unwrap())
                );
                let output = response["output"].as_array().unwrap();
                let ids: Vec<&Value> = output.iter().map(|item| &item["id"]).collect();
                let told: Vec<&Value> = items.iter().map(|(id, _)| id).collect();
                assert_eq!(ids, told, "{data}");
                ended = Some(name.clone());
            }
            "response.failed" => ended = Some(name.clone()),
            "response.created"
            | "response.in_progress"
            | "response.output_text.annotation.added"
            | "response.custom_tool_call_input.done"
            | "error" => {}
            other => panic!("unknown event {other}"),
        }
    }
    assert!(ended.is_some(), "no end");
}
