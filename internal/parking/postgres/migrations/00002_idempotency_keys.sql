-- What requests under a key of their client's were answered.

-- +goose Up
create table answers (
  subject     text collate "C",
  key         text collate "C",
  fingerprint bytea not null,
  status      integer not null,
  location    text not null,
  etag        text not null,
  body        bytea not null,
  kept_at     timestamptz not null,
  primary key (subject, key)
);
create index answers_by_time on answers (kept_at);
