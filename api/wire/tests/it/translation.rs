//! Chats read for their meaning and said again, in the same dialect and in others, on recorded traffic.

mod across;
mod anthropic;
mod bedrock;
mod carried;
mod cohere;
mod fuzz;
mod garbage;
mod gemini;
mod gemini_oddities;
mod likely;
mod matrix;
mod matrix_beside;
mod meaning;
mod oddities;
mod ollama;
mod openai;
mod refused;
mod requests;
mod responses;
mod stand_in;
mod support;
mod valid;
