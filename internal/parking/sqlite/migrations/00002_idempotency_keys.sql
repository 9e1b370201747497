-- What requests under a key of their client's were answered. "kept_at" is in milliseconds since 1970 in UTC.

-- +goose Up
create table answers (
  subject     text not null,
  key         text not null,
  fingerprint blob not null,
  status      integer not null,
  location    text not null,
  etag        text not null,
  body        blob not null,
  kept_at     integer not null,
  primary key (subject, key)
) strict;
create index answers_by_time on answers (kept_at);
