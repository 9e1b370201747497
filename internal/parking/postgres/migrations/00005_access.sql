-- Which API keys there are, and which tokens were revoked. "value" is the entry as the topic for them has it, which nothing is looked for
-- in; "kept_until" is from when on nobody needs to know of it.

-- +goose Up
create table access (
  kind       text collate "C" check (kind in ('key', 'revocation')),
  id         text collate "C",
  revision   bigint not null unique,
  value      bytea not null,
  kept_until timestamptz, -- null: for ever
  primary key (kind, id)
);
create index access_by_end on access (kept_until) where kept_until is not null;

-- What was said last, counted over all entries. Whoever says something more locks it.
create table access_revision (
  id       integer primary key check (id = 1),
  revision bigint not null
);
insert into access_revision values (1, 0);
