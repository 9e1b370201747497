-- +goose Up
-- When a sensor last gave a sign of life that said nothing of vehicles.
alter table spots add column last_heard_at timestamptz;

-- A spot that was removed keeps its row, and so its sensors, until it is added again or they are moved. Each message of a sensor
-- writes its row and no index: room is left in each page for the new row beside the old one.
create table sensors (
  id              text collate "C" primary key,
  model           text not null,
  spot_id         text collate "C" references spots on delete set null,
  battery_percent double precision,
  battery_volts   double precision,
  rssi            double precision,
  snr             double precision,
  last_seen_at    timestamptz,
  last_message    text not null,
  added_at        timestamptz not null
) with (fillfactor = 80);
create index sensors_by_spot on sensors (spot_id, id);
