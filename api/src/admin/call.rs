//! What every call has in common: who asks, how fresh the answer must be, what may not have changed.

use super::read_body::Query;
use super::{Answer, Problem};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Objects on a page where nothing else is asked for.
const PAGE: usize = 100;
/// Most objects on a page.
const PAGE_MAX: usize = 1_000;
/// Header that carries the log index of an answer.
pub const LOG_INDEX: HeaderName = HeaderName::from_static("x-bursar-log-index");

/// Text nobody may see by accident: an empty `Debug`. As JSON it is the text itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

/// Who asks, once the token was right: the `<actor>` of `managed_by: api:<actor>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(pub String);

/// What a read must show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Consistency {
    /// What this node has applied.
    #[default]
    Local,
    /// Every write that was acknowledged anywhere before the call.
    Linearizable,
}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Read {
    /// `local` (default): what this node has applied. `linearizable`: every acknowledged write.
    #[param(inline)]
    pub consistency: Consistency,
    /// Waits until this node has applied this log index.
    pub min_index: Option<u64>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// `local` (default): what this node has applied. `linearizable`: every acknowledged write.
    #[param(inline)]
    pub consistency: Consistency,
    /// Waits until this node has applied this log index.
    pub min_index: Option<u64>,
    /// Most objects to answer: 1 to 1000, 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl List {
    /// How fresh the page must be.
    pub fn read(&self) -> Read {
        Read { consistency: self.consistency, min_index: self.min_index }
    }

    /// Which objects.
    ///
    /// # Errors
    ///
    /// A limit out of range.
    pub fn page(&self) -> Answer<Page> {
        let limit = self.limit.unwrap_or(PAGE);
        if !(1..=PAGE_MAX).contains(&limit) {
            let say = format!("{limit} is not between 1 and {PAGE_MAX}");
            return Err(Problem::invalid("limit", say));
        }
        Ok(Page { limit, after: self.cursor.clone() })
    }
}

/// Which objects of a list, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most objects.
    pub limit: usize,
    /// Only names after this one.
    pub after: Option<String>,
}

impl Page {
    /// Cuts a page out of objects that are sorted by name.
    pub fn cut<T>(
        &self,
        sorted: impl IntoIterator<Item = T>,
        name: impl Fn(&T) -> &str,
    ) -> Listed<T> {
        let after = self.after.as_deref();
        let mut rest =
            sorted.into_iter().filter(|item| after.is_none_or(|after| name(item) > after));
        let items: Vec<T> = rest.by_ref().take(self.limit).collect();
        let more = rest.next().is_some();
        let next_cursor = items.last().filter(|_| more).map(|last| name(last).to_owned());
        Listed { items, next_cursor }
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Listed<T> {
    /// The objects, by name.
    pub items: Vec<T>,
    /// `cursor` of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Who writes, and on what condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Who.
    pub actor: Actor,
    /// The condition.
    pub condition: Condition,
    /// The caller's own name of the operation, from `Idempotency-Key`; empty: none. Money that is moved
    /// by hand is moved once for each name; everything else may be repeated anyhow.
    pub operation: String,
}

/// Longest `Idempotency-Key`, in bytes.
const OPERATION_BYTES_MAX: usize = 128;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The caller's name of the operation.
fn operation(headers: &HeaderMap) -> Answer<String> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(String::new()) };
    let text = value.to_str().unwrap_or_default().trim();
    match text.is_empty() || text.len() > OPERATION_BYTES_MAX {
        true => Err(Problem::malformed(format!(
            "Idempotency-Key takes 1 to {OPERATION_BYTES_MAX} printable characters"
        ))),
        false => Ok(text.to_owned()),
    }
}

/// What must be so for a write to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Anything.
    #[default]
    Any,
    /// `If-Match: "<index>"`: last changed at this log index.
    At(u64),
    /// `If-Match: *`: there is one.
    Exists,
    /// `If-None-Match: *`: there is none.
    Absent,
}

impl Condition {
    /// Checks the condition against the log index of the object's last change; `None`: there is none.
    ///
    /// # Errors
    ///
    /// 412 where it does not hold.
    pub fn check(self, present: Option<u64>) -> Answer<()> {
        let holds = match self {
            Self::Any => true,
            Self::At(index) => present == Some(index),
            Self::Exists => present.is_some(),
            Self::Absent => present.is_none(),
        };
        match holds {
            true => Ok(()),
            false => Err(Problem::precondition(present.unwrap_or(0))),
        }
    }

    fn read(headers: &HeaderMap) -> Answer<Self> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
        match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
            (None, None) => Ok(Self::Any),
            (Some("*"), None) => Ok(Self::Exists),
            (None, Some("*")) => Ok(Self::Absent),
            (Some(tag), None) => {
                let index = tag.trim().trim_matches('"').parse();
                index.map(Self::At).map_err(|_| {
                    Problem::malformed(format!("If-Match: {tag} is no ETag of this API"))
                        .fix("send the ETag header of an earlier answer, or *")
                })
            }
            (_, Some(_)) => Err(Problem::malformed(
                "If-None-Match takes only *, and not together with If-Match",
            )),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Write {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // A write takes no parameters: a misspelt one must not pass unseen.
        Query::<NoParameters>::from_request_parts(parts, state).await?;
        let actor = parts.extensions.get::<Actor>().cloned();
        Ok(Self {
            actor: actor.ok_or_else(Problem::unauthorised)?,
            condition: Condition::read(&parts.headers)?,
            operation: operation(&parts.headers)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

/// Something with a log index of its last change.
pub trait Versioned {
    /// That index; the object's `ETag`.
    fn changed_index(&self) -> u64;
}

/// A write that is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T> {
    /// The object after it.
    pub object: T,
    /// Its log index.
    pub index: u64,
    /// The object did not exist before.
    pub created: bool,
    /// Labels of live nodes that have not confirmed the write yet.
    pub not_confirmed_by: Vec<String>,
}

/// The answer to a write: the object, and where the write stands in the log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WriteAnswer<T> {
    /// The object after the write.
    #[serde(flatten)]
    pub object: T,
    /// Log index of the write: `?min_index=` of it shows the write on any node.
    pub log_index: u64,
    /// Nodes that could not be asked or did not confirm in time; they apply it when they are back.
    pub not_confirmed_by: Vec<String>,
}

impl<T: Serialize + Versioned> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        let status = match self.created {
            true => StatusCode::CREATED,
            false => StatusCode::OK,
        };
        let (index, etag) = (self.index, self.object.changed_index());
        let body = WriteAnswer {
            object: self.object,
            log_index: index,
            not_confirmed_by: self.not_confirmed_by,
        };
        let mut response = (status, Json(body)).into_response();
        mark(&mut response, index, Some(etag));
        response
    }
}

/// An object read.
pub(super) fn shown<T: Serialize + Versioned>(object: T, index: u64) -> Response {
    let etag = object.changed_index();
    let mut response = Json(object).into_response();
    mark(&mut response, index, Some(etag));
    response
}

/// Anything else read.
pub(super) fn told<T: Serialize>(body: T, index: u64) -> Response {
    let mut response = Json(body).into_response();
    mark(&mut response, index, None);
    response
}

fn mark(response: &mut Response, index: u64, etag: Option<u64>) {
    let headers = response.headers_mut();
    headers.insert(LOG_INDEX, HeaderValue::from(index));
    if let Some(etag) = etag {
        let etag = HeaderValue::try_from(format!("\"{etag}\"")).expect("digits and quotes");
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_and_the_last_has_no_cursor() {
        let names = ["a", "b", "c", "d", "e"];
        let mut page = Page { limit: 2, after: None };
        let mut pages = Vec::new();
        loop {
            let listed = page.cut(names, |name| name);
            pages.push(listed.items.concat());
            match listed.next_cursor {
                Some(cursor) => page.after = Some(cursor),
                None => break,
            }
        }
        assert_eq!(pages, ["ab", "cd", "e"]);
    }

    #[test]
    fn a_page_that_ends_with_the_list_has_no_cursor() {
        let page = Page { limit: 2, after: Some("a".into()) };
        assert_eq!(page.cut(["a", "b", "c"], |name| name).next_cursor, None);
    }

    #[test]
    fn conditions_are_read_from_headers() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            Condition::read(&headers).map_err(|problem| problem.status())
        };
        assert_eq!(read(&[]), Ok(Condition::Any));
        assert_eq!(read(&[("if-match", "\"12\"")]), Ok(Condition::At(12)));
        assert_eq!(read(&[("if-match", "*")]), Ok(Condition::Exists));
        assert_eq!(read(&[("if-none-match", "*")]), Ok(Condition::Absent));
        assert_eq!(read(&[("if-match", "\"x\"")]), Err(400));
        assert_eq!(read(&[("if-none-match", "\"1\"")]), Err(400));
    }

    #[test]
    fn an_operation_has_a_name_that_is_short_or_none() {
        let named = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(name).unwrap());
            operation(&headers).map_err(|problem| problem.status())
        };
        assert_eq!(operation(&HeaderMap::new()), Ok(String::new()));
        assert_eq!(named(" ticket-7 "), Ok("ticket-7".to_owned()));
        assert_eq!(named(" "), Err(400));
        assert_eq!(named(&"x".repeat(129)), Err(400));
    }

    #[test]
    fn conditions_hold_or_tell_the_present_index() {
        assert_eq!(Condition::At(3).check(Some(3)), Ok(()));
        assert_eq!(Condition::At(3).check(Some(4)).unwrap_err().present_index(), Some(4));
        assert_eq!(Condition::Exists.check(None).unwrap_err().present_index(), Some(0));
        assert_eq!(Condition::Absent.check(Some(9)).unwrap_err().present_index(), Some(9));
        assert_eq!(Condition::Any.check(None), Ok(()));
    }
}
