//! Webhooks, whose secrets are shown once.

use super::Node;
use super::propose::{Reach, if_index, managed_by};
use super::resource::{Farewell, TRIES_MAX, gone, was_overtaken};
use crate::vault::{Secret, hex, random};
use crate::webhooks::{Address, Letter, check_secret, draw_secret, now_s, purpose};
use api::admin::v1::webhooks::{self, WebhookActions, WebhookSettings, WebhookTest, Webhooks};
use api::admin::{Answer, Hidden, Listed, Objects, Page, Problem, Timestamp, Write, Written};
use ledger::command::{Command, DeleteWebhook, PutWebhook};
use ledger::{Ledger, Sealed, Webhook};
use std::time::Instant;

/// Where a webhook's secret comes from.
enum SecretIs {
    /// The operator gave it.
    Given,
    /// It stays.
    Kept,
    /// It was drawn now, and is shown once.
    Drawn(Secret),
}

impl Objects<Webhooks> for Node {
    fn list(&self, page: &Page) -> Listed<webhooks::Webhook> {
        let ledger = self.ledger();
        let found = page.cut(ledger.webhooks.values(), |webhook| &webhook.name);
        Listed {
            items: found.items.into_iter().map(|webhook| shown(&ledger, webhook)).collect(),
            next_cursor: found.next_cursor,
        }
    }

    fn find(&self, name: &str) -> Option<webhooks::Webhook> {
        let ledger = self.ledger();
        ledger.webhooks.get(name).map(|webhook| shown(&ledger, webhook))
    }

    async fn put(
        &self,
        name: String,
        settings: WebhookSettings,
        write: Write,
    ) -> Answer<Written<webhooks::Webhook>> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.put_once(&name, &settings, &write).await {
                Err(problem) if was_overtaken(&write, &problem) && tries < TRIES_MAX => {}
                outcome => return outcome,
            }
        }
    }

    async fn delete(&self, name: String, write: Write) -> Answer<Written<webhooks::Webhook>> {
        let missing = || Problem::not_found("webhook", &name);
        let last = Objects::<Webhooks>::find(self, &name).ok_or_else(missing)?;
        let Farewell { name, managed_by, if_index } = Farewell {
            managed_by: managed_by(&write),
            if_index: if_index(&write, Some(last.changed_index))?,
            name,
        };
        let delete = Command::DeleteWebhook(DeleteWebhook { name, managed_by, if_index });
        let index = self.propose("webhook", delete).await?;
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        Ok(Written { object: last, index, created: false, not_confirmed_by })
    }
}

impl WebhookActions for Node {
    async fn rotate_webhook(
        &self,
        name: String,
        write: Write,
    ) -> Answer<Written<webhooks::Webhook>> {
        let ledger = self.ledger();
        let present = ledger.webhooks.get(&name);
        let mut webhook = present.ok_or_else(|| Problem::not_found("webhook", &name))?.clone();
        let drawn = draw_secret();
        webhook.secret = self.seal(&purpose(&name), drawn.expose(), None);
        webhook.managed_by = managed_by(&write);
        let changed_index = Some(webhook.changed_index);
        self.put_webhook(webhook, SecretIs::Drawn(drawn), changed_index, &write).await
    }

    async fn test_webhook(&self, name: String) -> Answer<WebhookTest> {
        let ledger = self.ledger();
        let webhook = ledger.webhooks.get(&name);
        let webhook = webhook.ok_or_else(|| Problem::not_found("webhook", &name))?;
        let secret = self.parts.vault.open(&purpose(&name), &webhook.secret);
        let secret = secret.map_err(|error| Problem::unavailable(error.to_string()))?;
        let (url, allow_private) = (webhook.url.as_str(), webhook.allow_private_network);
        let to = Address { url, allow_private, secret: &secret };
        let letter = Letter::test(&hex(&random::<8>()), &name, Timestamp(now_s() * 1_000));
        let began = Instant::now();
        let came = self.parts.post.send(&to, &letter, now_s()).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(match came {
            Ok(status) => {
                let delivered = (200..300).contains(&status);
                WebhookTest { delivered, status: Some(status), detail: None, took_ms }
            }
            Err(why) => WebhookTest { delivered: false, status: None, detail: Some(why), took_ms },
        })
    }
}

impl Node {
    async fn put_once(
        &self,
        name: &str,
        settings: &WebhookSettings,
        write: &Write,
    ) -> Answer<Written<webhooks::Webhook>> {
        let ledger = self.ledger();
        let present = ledger.webhooks.get(name);
        let (secret, drawn) = self.secret(name, settings.secret.as_ref(), present)?;
        let webhook = Webhook {
            name: name.to_owned(),
            url: settings.url.clone(),
            secret,
            allow_private_network: settings.allow_private_network,
            enabled: settings.enabled,
            managed_by: managed_by(write),
            changed_index: 0,
        };
        let secret = match drawn {
            Some(drawn) => SecretIs::Drawn(drawn),
            None if settings.secret.is_some() => SecretIs::Given,
            None => SecretIs::Kept,
        };
        let present = present.map(|present| present.changed_index);
        self.put_webhook(webhook, secret, present, write).await
    }

    /// The secret a webhook has from here on, and itself where it was drawn now.
    fn secret(
        &self,
        name: &str,
        set: Option<&Hidden>,
        present: Option<&Webhook>,
    ) -> Answer<(Sealed, Option<Secret>)> {
        let purpose = purpose(name);
        match (set, present) {
            (Some(set), present) => {
                check_secret(&set.0).map_err(|say| Problem::invalid("secret", say))?;
                let present = present.map(|present| &present.secret);
                Ok((self.seal(&purpose, &set.0, present), None))
            }
            (None, Some(present)) => Ok((present.secret.clone(), None)),
            (None, None) => {
                let drawn = draw_secret();
                Ok((self.seal(&purpose, drawn.expose(), None), Some(drawn)))
            }
        }
    }

    async fn put_webhook(
        &self,
        webhook: Webhook,
        secret: SecretIs,
        present: Option<u64>,
        write: &Write,
    ) -> Answer<Written<webhooks::Webhook>> {
        let name = webhook.name.clone();
        let if_index = match (if_index(write, present)?, &secret) {
            // Two that draw a secret at once: the answer of one of them would show the wrong one. And what
            // is kept must still be the one, or a rotation at this moment would be undone.
            (None, SecretIs::Drawn(_) | SecretIs::Kept) => Some(present.unwrap_or(0)),
            (asked, SecretIs::Drawn(_) | SecretIs::Kept | SecretIs::Given) => asked,
        };
        let put = Command::PutWebhook(PutWebhook { webhook, if_index });
        let index = self.propose("webhook", put).await?;
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        let object = Objects::<Webhooks>::find(self, &name);
        let mut object = object.ok_or_else(|| gone("webhook", &name))?;
        if let SecretIs::Drawn(drawn) = secret {
            object.secret = Some(Hidden(drawn.expose().to_owned()));
        }
        Ok(Written { object, index, created: present.is_none(), not_confirmed_by })
    }
}

fn shown(ledger: &Ledger, webhook: &Webhook) -> webhooks::Webhook {
    let waits = |event: &&ledger::Event| event.waiting.contains(&webhook.name);
    webhooks::Webhook {
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        secret: None,
        allow_private_network: webhook.allow_private_network,
        enabled: webhook.enabled,
        waiting: ledger.outbox.values().filter(waits).count(),
        managed_by: webhook.managed_by.clone(),
        changed_index: webhook.changed_index,
    }
}
