-- +goose Up
-- Where a subject wants to be told. private is JSON: what is needed to send, secrets among it.
create table alert_channels (
  channel_id    text   not null primary key,
  subject       text   not null,
  kind          text   not null, -- webhook, push, mail
  name          text   not null,
  target        text   not null, -- address of the webhook or of the push service, or mailbox
  host          text   not null, -- by which channels share connections and a circuit
  state         text   not null, -- unconfirmed, active, paused, disabled
  reason        text   not null, -- why it is disabled
  private       text   not null,
  created_at    bigint not null,
  updated_at    bigint not null,
  failing_since bigint not null, -- 0: the last attempt succeeded
  delivered_at  bigint not null, -- 0: never
  -- While it fails: on how many days something was tried in vain, and the number of the last of them since 1970.
  failing_days  bigint not null default 0,
  failing_day   bigint not null default 0
);
create index alert_channels_subject on alert_channels (subject, channel_id);

-- What is sent to a channel, one row for each decision and channel.
create table alert_deliveries (
  delivery_id  text   not null primary key, -- UUIDv7
  decision_id  text   not null,
  channel_id   text   not null,
  subject      text   not null,
  rule_id      text   not null,
  lot_id       text   not null, -- '': of several lots
  topic        text   not null, -- what it is about, for browsers
  type         text   not null,
  kind         text   not null,
  target       text   not null,
  document     text   not null, -- what is sent, byte by byte the same each time; '' of a code that was sent
  text         text   not null, -- the same in a sentence
  state        text   not null, -- waiting, sending, delivered, dead
  attempts     bigint not null, -- begun
  interrupted  bigint not null, -- of these, of which nobody knows what became: the process died
  created_at   bigint not null,
  next_at      bigint not null, -- when it is tried; while it is being sent, when it is given to another
  lease        text   not null,
  last_status  bigint not null, -- 0: there was no answer
  last_error   text   not null,
  finished_at  bigint not null,
  unique (decision_id, channel_id)
);
create index alert_deliveries_waiting on alert_deliveries (channel_id, next_at, delivery_id) where state = 'waiting';
create index alert_deliveries_sending on alert_deliveries (next_at) where state = 'sending';
create index alert_deliveries_subject on alert_deliveries (subject, delivery_id);
create index alert_deliveries_finished on alert_deliveries (finished_at) where finished_at > 0;
create index alert_deliveries_target on alert_deliveries (target, created_at) where type = 'channel.confirm';
