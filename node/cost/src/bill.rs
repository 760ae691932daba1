//! What is an attempt charged, however it ended? One table.

use crate::{ModelTerms, Quote};
use ledger::view::AccountTerms;
use ledger::{Charge, Mode, Unit, UsageSums};
use wire::relay::{End, Progress, Reply};
use wire::{Service, Usage};

/// How the money of an attempt is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bill {
    /// The provider did not begin: all is given back.
    Void,
    /// The provider said what it used.
    Told(Usage),
    /// The provider did not say, or not to the end; this much is known not to be exceeded.
    AtMost(Usage),
    /// The provider did not say; about so much. Where only an estimate was held it is no bound either.
    About(Usage),
    /// Nobody knows how far the provider got: the whole hold.
    Whole,
}

/// How an attempt ended, as far as its money goes.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// The provider has seen nothing of it, or refused it.
    NotBegun,
    /// It was sent, and nobody knows what became of it: no answer, one that nobody can read, or a plain one
    /// that broke off.
    Unknown,
    /// A plain answer was read whole; it may be a failure that says what it used.
    Plain(&'a Reply),
    /// A stream broke off before its first event.
    Unopened(&'a End),
    /// A stream came to its end by itself.
    Over(&'a End),
    /// A stream broke off in the middle, or fell silent, or could not be read any further; so many bytes of
    /// output may have been on their way.
    BrokeOff(&'a End, u64),
    /// The caller left a stream; so many bytes of output may be on their way.
    Left(&'a End, u64),
}

/// What an attempt's charge depends on, besides how it ended.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Some budget it is charged to may not be passed.
    pub hard: bool,
    /// What was held.
    pub quote: &'a Quote,
    /// The model and its prices.
    pub model: &'a ModelTerms,
}

/// What an attempt is charged that ended like this.
#[must_use]
pub fn bill(ended: Ended<'_>, terms: &Terms<'_>) -> Bill {
    let counted =
        |end: &End, more: u64| terms.counted(end.usage(), end.output_bytes.saturating_add(more));
    match ended {
        Ended::NotBegun => Bill::Void,
        Ended::Unknown => Bill::Whole,
        Ended::Plain(reply) => match (reply.usage, &reply.fault) {
            (Some(usage), _) => Bill::Told(usage),
            (None, Some(_)) => Bill::Void,
            (None, None) => terms.counted(None, reply.output_bytes),
        },
        // It answered, and then said nothing: what it did meanwhile is unknown, as without an answer.
        Ended::Unopened(end) if terms.hard && end.usage().is_none() => Bill::Whole,
        Ended::Over(end) => match end.usage() {
            // The provider's last word, also where it said that it failed in the middle. A stream that just
            // ends before its answer does may have told what was used up to there only.
            Some(usage) if end.complete || end.error.is_some() => Bill::Told(usage),
            None if failed_at_once(end) => Bill::Void,
            Some(_) | None => counted(end, 0),
        },
        Ended::BrokeOff(end, _) if end.usage().is_none() && failed_at_once(end) => Bill::Void,
        Ended::BrokeOff(end, more) => counted(end, more),
        Ended::Unopened(end) => counted(end, 0),
        Ended::Left(end, more) => match end.usage() {
            Some(usage) if end.complete => Bill::Told(usage),
            Some(_) | None => counted(end, more),
        },
    }
}

/// Whether an account may not be passed and is charged by what an attempt uses: then what is charged must be
/// no less than what is billed.
#[must_use]
pub fn is_hard(account: &AccountTerms) -> bool {
    account.mode == Mode::Hard && account.unit != Unit::Requests
}

/// An error before any output: the provider did not begin.
fn failed_at_once(end: &End) -> bool {
    end.error.is_some() && end.output_bytes == 0
}

/// Output bytes of a chunk that may be on its way: the average so far, and not too few.
#[must_use]
pub fn chunk_on_its_way(progress: &Progress) -> u64 {
    const LEAST: u64 = 64;
    progress.output_bytes.div_ceil(progress.events.max(1)).max(LEAST)
}

/// Bytes of text per token, on average over languages and code.
const BYTES_PER_TOKEN: u64 = 4;

impl Terms<'_> {
    /// What an answer is charged that did not tell its usage, or not to its end: all input, and its output by
    /// its bytes; more where more was told.
    ///
    /// Under a hard budget a token for each byte, which no tokenizer exceeds: what was charged less than it
    /// was billed would be spent twice. A model that thinks unseen costs the whole hold there, for nothing
    /// else bounds it. Elsewhere the average.
    fn counted(&self, told: Option<Usage>, output_bytes: u64) -> Bill {
        let told = told.unwrap_or_default();
        if self.hard {
            return self.bounded(told, output_bytes);
        }
        Bill::About(Usage {
            input_tokens: told.input_tokens.max(self.quote.most.input_tokens),
            output_tokens: told.output_tokens.max(output_bytes.div_ceil(BYTES_PER_TOKEN)),
            ..told
        })
    }

    /// Under a hard budget: no more than the hold, but where the provider itself told more.
    fn bounded(&self, told: Usage, output_bytes: u64) -> Bill {
        let (most, model) = (&self.quote.most, self.model);
        let within =
            told.input_tokens <= most.input_tokens && told.output_tokens <= most.output_tokens;
        if model.thinks && within {
            return Bill::Whole;
        }
        let output_tokens = if model.thinks { most.output_tokens } else { output_bytes };
        Bill::AtMost(Usage {
            input_tokens: told.input_tokens.max(most.input_tokens),
            output_tokens: told.output_tokens.max(output_tokens.min(most.output_tokens)),
            ..told
        })
    }
}

impl Bill {
    /// What the charge rests on, for the receipt.
    #[must_use]
    pub fn basis(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Told(_) => "reported",
            Self::AtMost(_) => "counted",
            Self::About(_) => "estimated",
            Self::Whole => "hold",
        }
    }

    /// The charge, and the usage it stands for.
    #[must_use]
    pub fn charge(self, quote: &Quote, model: &ModelTerms) -> (Charge, Usage) {
        let whole = Usage {
            input_tokens: quote.most.input_tokens,
            output_tokens: quote.most.output_tokens,
            ..Usage::default()
        };
        match self {
            Self::Void => (Charge::ZERO, Usage::default()),
            Self::Whole => (quote.charge(model), whole),
            Self::Told(usage) | Self::AtMost(usage) | Self::About(usage) => {
                let asked = quote.most.service.filter(|service| costs_more(*service));
                let usage = Usage { service: usage.service.or(asked), ..usage };
                (model.charge(&usage), usage)
            }
        }
    }
}

/// Whether a class of service is charged where the provider does not say which one it was.
fn costs_more(service: Service) -> bool {
    match service {
        Service::Priority | Service::Other => true,
        Service::Standard | Service::Batch | Service::Flex => false,
    }
}

/// What a charged attempt adds to its row of usage.
#[must_use]
pub fn usage_sums(charge: &Charge, usage: &Usage) -> UsageSums {
    let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
    UsageSums {
        requests: 1,
        input_tokens: usage.input_tokens.saturating_sub(cached),
        cache_read_tokens: usage.cache_read_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        output_tokens: usage.output_tokens,
        reasoning_tokens: usage.reasoning_tokens,
        cost_nano_usd: charge.nano_usd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tariff;
    use ledger::Price;
    use wire::ProviderError;

    fn quote() -> Quote {
        Quote { most: usage(100, 50), cap: None }
    }

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, ..Usage::default() }
    }

    fn model(thinks: bool) -> ModelTerms {
        ModelTerms {
            tariff: Some(Tariff::from(&Price {
                input_nano_usd_per_mtok: 1_000_000_000,
                output_nano_usd_per_mtok: 4_000_000_000,
                ..Price::default()
            })),
            thinks,
            ..ModelTerms::default()
        }
    }

    fn end(told: Option<Usage>, output_bytes: u64, complete: bool) -> End {
        End { counts: told, output_bytes, complete, ..End::default() }
    }

    fn failed(told: Option<Usage>, output_bytes: u64) -> End {
        let error = Some(ProviderError::unreadable("no more".to_owned()));
        End { error, ..end(told, output_bytes, false) }
    }

    fn billed(ended: Ended<'_>, hard: bool) -> Bill {
        bill(ended, &Terms { hard, quote: &quote(), model: &model(false) })
    }

    #[test]
    fn an_attempt_is_charged_by_how_it_ended() {
        let told = usage(7, 30);
        let (at_most, about) = (Bill::AtMost(usage(100, 30)), Bill::About(usage(100, 30)));
        let reply = |usage, fault| Reply { usage, fault, output_bytes: 20 };
        let fault = Some(ProviderError::unreadable("no".to_owned()));
        let cases = [
            (Ended::NotBegun, Bill::Void, Bill::Void),
            (Ended::Unknown, Bill::Whole, Bill::Whole),
            (Ended::Plain(&reply(Some(told), None)), Bill::Told(told), Bill::Told(told)),
            (Ended::Plain(&reply(Some(told), fault.clone())), Bill::Told(told), Bill::Told(told)),
            (Ended::Plain(&reply(None, fault)), Bill::Void, Bill::Void),
            (
                Ended::Plain(&reply(None, None)),
                Bill::AtMost(usage(100, 20)),
                Bill::About(usage(100, 5)),
            ),
            (Ended::Unopened(&end(None, 0, false)), Bill::Whole, Bill::About(usage(100, 0))),
            (Ended::Unopened(&end(Some(told), 0, false)), at_most, about),
            (Ended::Over(&end(Some(told), 90, true)), Bill::Told(told), Bill::Told(told)),
            (Ended::Over(&end(Some(told), 20, false)), at_most, about),
            (Ended::Over(&failed(Some(told), 20)), Bill::Told(told), Bill::Told(told)),
            (Ended::Over(&failed(None, 0)), Bill::Void, Bill::Void),
            (Ended::BrokeOff(&failed(None, 0), 9), Bill::Void, Bill::Void),
            (Ended::BrokeOff(&end(Some(told), 20, true), 9), at_most, about),
            (
                Ended::BrokeOff(&end(None, 20, false), 9),
                Bill::AtMost(usage(100, 29)),
                Bill::About(usage(100, 8)),
            ),
            (Ended::Left(&end(Some(told), 20, true), 9), Bill::Told(told), Bill::Told(told)),
            (Ended::Left(&end(Some(told), 20, false), 9), at_most, about),
            (
                Ended::Left(&end(None, 20, false), 9),
                Bill::AtMost(usage(100, 29)),
                Bill::About(usage(100, 8)),
            ),
        ];
        for (ended, hard, soft) in cases {
            assert_eq!((billed(ended, true), billed(ended, false)), (hard, soft), "{ended:?}");
        }
    }

    #[test]
    fn no_end_is_charged_less_than_was_told_nor_under_a_hard_budget_less_than_was_counted() {
        for bytes in [0, 1, 20, 49, 50, 51, 900] {
            for told in [None, Some(usage(7, 3)), Some(usage(7, 60)), Some(usage(120, 3))] {
                for complete in [false, true] {
                    let end = end(told, bytes, complete);
                    for ended in [
                        Ended::Unopened(&end),
                        Ended::Over(&end),
                        Ended::BrokeOff(&end, 9),
                        Ended::Left(&end, 9),
                    ] {
                        let (_, used) = billed(ended, true).charge(&quote(), &model(false));
                        let told = told.unwrap_or_default();
                        let is_told = matches!(billed(ended, true), Bill::Told(_));
                        let counted =
                            if is_told { 0 } else { bytes.min(quote().most.output_tokens) };
                        assert!(used.output_tokens >= told.output_tokens.max(counted), "{ended:?}");
                        assert!(used.input_tokens >= told.input_tokens, "{ended:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn each_bill_has_its_charge() {
        let (within, beyond) = (usage(10, 5), usage(1_000, 1_000));
        let cases = [
            (Bill::Void, 0, 0),
            (Bill::Told(within), 10_000 + 20_000, 1),
            (Bill::AtMost(within), 10_000 + 20_000, 1),
            (Bill::Told(beyond), 5_000_000, 1),
            (Bill::About(beyond), 5_000_000, 1),
            (Bill::AtMost(beyond), 5_000_000, 1),
            (Bill::Whole, 100_000 + 200_000, 1),
        ];
        for (bill, nano_usd, requests) in cases {
            let (charge, _) = bill.charge(&quote(), &model(false));
            assert_eq!((charge.nano_usd, charge.requests), (nano_usd, requests), "{bill:?}");
        }
    }

    #[test]
    fn what_was_not_told_to_the_end_is_charged_as_counted_within_the_hold_or_as_told_beyond_it() {
        let cases = [
            (usage(0, 0), 20, false, Bill::AtMost(usage(100, 20))),
            (usage(7, 30), 20, false, Bill::AtMost(usage(100, 30))),
            (usage(7, 3), 900, false, Bill::AtMost(usage(100, 50))),
            (usage(7, 60), 900, false, Bill::AtMost(usage(100, 60))),
            (usage(7, 3), 20, true, Bill::Whole),
            (usage(7, 60), 20, true, Bill::AtMost(usage(100, 60))),
            (usage(120, 3), 20, true, Bill::AtMost(usage(120, 50))),
        ];
        for (told, output_bytes, thinks, expected) in cases {
            let terms = Terms { hard: true, quote: &quote(), model: &model(thinks) };
            let bill = terms.counted(Some(told), output_bytes);
            assert_eq!(bill, expected, "{told:?} {output_bytes} {thinks}");
        }
    }

    #[test]
    fn a_chunk_on_its_way_is_as_long_as_the_others_and_never_very_short() {
        let progress =
            |events, output_bytes| Progress { events, output_bytes, ..Progress::default() };
        for (events, bytes, chunk) in [(0, 0, 64), (10, 100, 64), (3, 1_000, 334)] {
            assert_eq!(chunk_on_its_way(&progress(events, bytes)), chunk);
        }
    }

    #[test]
    fn cached_tokens_are_no_plain_ones_in_a_row_of_usage() {
        let usage = Usage {
            input_tokens: 10,
            cache_read_tokens: 4,
            cache_write_tokens: 1,
            output_tokens: 3,
            reasoning_tokens: 2,
            ..Usage::default()
        };
        let sums = usage_sums(&Charge { nano_usd: 7, tokens: 13, requests: 1 }, &usage);
        assert_eq!((sums.requests, sums.input_tokens, sums.cost_nano_usd), (1, 5, 7));
        assert_eq!((sums.cache_read_tokens, sums.cache_write_tokens), (4, 1));
        let odd = Usage { cache_read_tokens: 20, ..usage };
        assert_eq!(usage_sums(&Charge::ZERO, &odd).input_tokens, 0);
    }
}
