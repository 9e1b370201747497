-- Times are milliseconds since 1970 in UTC. Empty text stands for "none" where nothing refers to it.

-- +goose Up
create table lots (
  id           text not null primary key,
  name         text not null,
  time_zone    text not null,
  address      text not null,
  lat          real,
  lon          real,
  heartbeat_ms integer not null check (heartbeat_ms >= 0),
  created_at   integer not null,
  updated_at   integer not null,
  check ((lat is null) = (lon is null))
) strict, without rowid;

create table zones (
  id     text not null primary key,
  lot_id text not null references lots (id) on delete cascade,
  name   text not null,
  level  integer
) strict, without rowid;
create index zones_by_lot on zones (lot_id, id);

-- A removed spot stays, so that its versions go on when it is added again. It alone may be without a lot.
create table spots (
  id             text not null primary key,
  lot_id         text references lots (id) on delete set null,
  zone_id        text references zones (id) on delete set null,
  name           text not null,
  category       text not null,
  lat            real,
  lon            real,
  heartbeat_ms   integer not null check (heartbeat_ms >= 0),
  occupancy      text not null check (occupancy in ('free', 'occupied', 'unknown')),
  signal_lost    integer not null,
  closed         integer not null,
  faulted        integer not null,
  status         text not null
                 check (status in ('removed', 'closed', 'out_of_service', 'unknown', 'occupied', 'reserved', 'free')),
  reservation_reference text not null,
  reserved_at    integer,
  reserved_until integer,
  version        integer not null check (version > 0),
  last_observed_at integer,
  last_sequence  integer not null,
  sensor_id      text not null,
  added_at       integer not null,
  changed_at     integer not null,
  check ((lat is null) = (lon is null)),
  check (lot_id is not null or status = 'removed')
) strict, without rowid;
-- The first two are also what counts are read from, without a look at the table.
create index spots_by_lot on spots (lot_id, status);
create index spots_by_zone on spots (zone_id, status);
create index spots_by_change on spots (changed_at);
create index spots_with_heartbeat on spots (id) where heartbeat_ms > 0;
create index spots_by_reservation_end on spots (reserved_until) where reserved_until is not null;

-- An id is never used again (autoincrement), so that a row is not taken for one that was done before.
create table outbox (
  id          integer primary key autoincrement,
  spot_id     text not null,
  event_id    text not null,
  value       blob not null,
  tombstone   integer not null,
  traceparent text not null
) strict;

-- Of each topic, by the identity that Kafka gave it, so that a log that was made again is not taken for the lost one.
create table relay_positions (
  topic       blob not null,
  partition   integer not null,
  last_offset integer not null,
  primary key (topic, partition)
) strict, without rowid;

create table history (
  id              integer primary key autoincrement,
  spot_id         text not null,
  change          text not null,
  status          text not null,
  previous_status text not null,
  version         integer not null,
  event_id        text not null,
  observed_at     integer,
  recorded_at     integer not null,
  source          text not null,
  subject         text not null
) strict;
create index history_by_spot on history (spot_id, id);
create index history_by_time on history (recorded_at);
