-- What is to be told beside the events of spots: who changed what (audit), and which keys and tokens hold (access).

-- +goose Up
create table records (
  id    bigint generated always as identity primary key,
  topic text not null check (topic in ('audit', 'access')),
  key   text not null,
  value bytea -- null: nothing is left of what the key names
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = -1);
