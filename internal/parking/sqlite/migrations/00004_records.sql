-- What is to be told beside the events of spots: who changed what (audit), and which keys and tokens hold (access).

-- +goose Up
create table records (
  id    integer primary key autoincrement, -- never used again, as in outbox
  topic text not null check (topic in ('audit', 'access')),
  key   text not null,
  value blob -- null: nothing is left of what the key names
) strict;
