-- Which API keys there are, and which tokens were revoked. "value" is the entry as the topic for them has it, which nothing is looked for
-- in; "kept_until", in milliseconds since 1970 in UTC, is from when on nobody needs to know of it.

-- +goose Up
create table access (
  kind       text not null check (kind in ('key', 'revocation')),
  id         text not null,
  revision   integer not null unique,
  value      blob not null,
  kept_until integer, -- null: for ever
  primary key (kind, id)
) strict, without rowid;
create index access_by_end on access (kept_until) where kept_until is not null;

-- What was said last, counted over all entries. Whoever says something more locks it.
create table access_revision (
  id       integer primary key check (id = 1),
  revision integer not null
) strict;
insert into access_revision values (1, 0);
