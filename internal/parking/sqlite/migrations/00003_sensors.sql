-- +goose Up
-- When a sensor last gave a sign of life that said nothing of vehicles.
alter table spots add column last_heard_at integer;

-- A spot that was removed keeps its row, and so its sensors, until it is added again or they are moved.
create table sensors (
  id              text not null primary key,
  model           text not null,
  spot_id         text references spots (id) on delete set null,
  battery_percent real,
  battery_volts   real,
  rssi            real,
  snr             real,
  last_seen_at    integer,
  last_message    text not null,
  added_at        integer not null
) strict, without rowid;
create index sensors_by_spot on sensors (spot_id, id);
