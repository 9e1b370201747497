-- Ids are compared byte by byte (collate "C"), as everywhere else on the platform. Times are to the millisecond. Empty text
-- stands for "none" where nothing refers to it.

-- +goose Up
create table lots (
  id           text collate "C" primary key,
  name         text not null,
  time_zone    text not null,
  address      text not null,
  lat          double precision,
  lon          double precision,
  heartbeat_ms bigint not null check (heartbeat_ms >= 0),
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  check ((lat is null) = (lon is null))
);

create table zones (
  id     text collate "C" primary key,
  lot_id text collate "C" not null references lots on delete cascade,
  name   text not null,
  level  integer
);
create index zones_by_lot on zones (lot_id, id);

-- A removed spot stays, so that its versions go on when it is added again. It alone may be without a lot.
-- Readings that change nothing write no index: room is left in each page for the new row beside the old one.
create table spots (
  id             text collate "C" primary key,
  lot_id         text collate "C" references lots on delete set null,
  zone_id        text collate "C" references zones on delete set null,
  name           text not null,
  category       text not null,
  lat            double precision,
  lon            double precision,
  heartbeat_ms   bigint not null check (heartbeat_ms >= 0),
  occupancy      text not null check (occupancy in ('free', 'occupied', 'unknown')),
  signal_lost    boolean not null,
  closed         boolean not null,
  faulted        boolean not null,
  status         text collate "C" not null
                 check (status in ('removed', 'closed', 'out_of_service', 'unknown', 'occupied', 'reserved', 'free')),
  reservation_reference text not null,
  reserved_at    timestamptz,
  reserved_until timestamptz,
  version        bigint not null check (version > 0),
  last_observed_at timestamptz,
  last_sequence  bigint not null,
  sensor_id      text not null,
  added_at       timestamptz not null,
  changed_at     timestamptz not null,
  check ((lat is null) = (lon is null)),
  check (lot_id is not null or status = 'removed')
) with (fillfactor = 80);
-- The first two are also what counts are read from, without a look at the table.
create index spots_by_lot on spots (lot_id, status);
create index spots_by_zone on spots (zone_id, status);
create index spots_by_change on spots (changed_at);
create index spots_with_heartbeat on spots (id) where heartbeat_ms > 0;
create index spots_by_reservation_end on spots (reserved_until) where reserved_until is not null;

-- Rows come and go all the time, so the dead ones are cleared away by number, not by share of a table that is nearly empty.
create table outbox (
  id          bigint generated always as identity primary key,
  spot_id     text not null,
  event_id    text not null,
  value       bytea not null,
  tombstone   boolean not null,
  traceparent text not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = -1);

-- Of each topic, by the identity that Kafka gave it, so that a log that was made again is not taken for the lost one.
create table relay_positions (
  topic       bytea,
  partition   integer,
  last_offset bigint not null,
  primary key (topic, partition)
) with (fillfactor = 50);

create table history (
  id              bigint generated always as identity primary key,
  spot_id         text collate "C" not null,
  change          text not null,
  status          text not null,
  previous_status text not null,
  version         bigint not null,
  event_id        text not null,
  observed_at     timestamptz,
  recorded_at     timestamptz not null,
  source          text not null,
  subject         text not null
);
create index history_by_spot on history (spot_id, id);
create index history_by_time on history (recorded_at);
